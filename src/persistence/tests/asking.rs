use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::samples::{Place, scenario_file, simulate, start, start_of, store};
use crate::persistence::{
    Database, EventFilter, ExperimentContext, PaymentFilter, PersistenceError, Purpose, SimulationFilter,
    Sort, SqlValue, Status,
};
use crate::replay::State;
use crate::time::Tick;

fn stored() -> (Place, Database) {
    let place = Place::new();
    let database = place.open();
    store(&database, start("one")).wait().unwrap();
    (place, database)
}

#[test]
fn event_filters_hold_together_and_count_all_matches() {
    let (_place, database) = stored();
    let reader = database.reader().unwrap();
    let all = reader.all_events("one", &EventFilter::default()).unwrap();
    let page = reader.events("one", &EventFilter::default()).unwrap();
    assert_eq!((page.events.len(), page.limit, page.offset), (100, 100, 0));
    assert_eq!(page.total, all.len() as u64);
    assert_eq!(page.events, all[..100]);
    assert!(all.iter().enumerate().all(|(at, event)| event.sequence == at as u64));
    let count = |filter: &EventFilter, holds: &dyn Fn(&crate::persistence::EventRow) -> bool| {
        let expected = all.iter().filter(|event| holds(event)).count() as u64;
        assert_eq!(reader.event_count("one", filter).unwrap(), expected, "{filter:?}");
        assert!(expected > 0, "{filter:?} finds nothing");
    };
    let of = |text: &str| Some(text.to_owned());
    count(&EventFilter { tick: Some(3), ..Default::default() }, &|event| event.tick == 3);
    count(&EventFilter { tick_min: Some(3), tick_max: Some(5), ..Default::default() }, &|event| {
        (3..=5).contains(&event.tick)
    });
    count(&EventFilter { day: Some(1), ..Default::default() }, &|event| event.day == 1 && event.tick >= 10);
    count(&EventFilter { agent_id: of("BANK_B"), ..Default::default() }, &|event| {
        event.agents.contains(&"BANK_B".to_owned())
    });
    count(&EventFilter { tx_id: of("tx-000003"), ..Default::default() }, &|event| {
        event.tx_ids.contains(&"tx-000003".to_owned())
    });
    let payments: BTreeSet<&String> = all.iter().flat_map(|event| &event.tx_ids).collect();
    for payment in payments {
        count(&EventFilter { tx_id: of(payment), ..Default::default() }, &|event| {
            event.tx_ids.contains(payment)
        });
    }
    count(&EventFilter { event_type: of(" Arrival , QueuedRtgs"), ..Default::default() }, &|event| {
        ["Arrival", "QueuedRtgs"].contains(&event.event_type.as_str())
    });
    count(&EventFilter { text: of("bank_c"), ..Default::default() }, &|event| {
        event.details.contains("BANK_C") || event.agent_id.as_deref() == Some("BANK_C")
    });
    let arrivals_of_c = EventFilter {
        agent_id: of("BANK_C"),
        event_type: of("Arrival"),
        tick_min: Some(2),
        ..Default::default()
    };
    count(&arrivals_of_c, &|event| {
        event.event_type == "Arrival" && event.tick >= 2 && event.agents.contains(&"BANK_C".to_owned())
    });
}

#[test]
fn event_pages_go_by_key_or_offset_within_limits() {
    let (_place, database) = stored();
    let reader = database.reader().unwrap();
    let page = |filter: EventFilter| reader.events("one", &filter).unwrap();
    let total = page(EventFilter::default()).total;
    for (given, used) in [(Some(0), 1), (Some(-5), 1), (Some(7), 7), (Some(5000), 1000), (None, 100)] {
        let page = page(EventFilter { limit: given, ..Default::default() });
        assert_eq!((page.limit, page.events.len() as u64), (used, used.min(total)));
    }
    let next = page(EventFilter { after_sequence: Some(9), limit: Some(3), ..Default::default() });
    let skipped = page(EventFilter { offset: Some(10), limit: Some(3), ..Default::default() });
    assert_eq!(next.events, skipped.events);
    assert_eq!((next.total, skipped.total), (total, total));
    let back = EventFilter {
        before_sequence: Some(10),
        sort: Sort::Descending,
        limit: Some(2),
        offset: Some(-3),
        ..Default::default()
    };
    let sequences: Vec<u64> = page(back).events.iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, [9, 8]);
    let last = page(EventFilter { sort: Sort::Descending, limit: Some(1), ..Default::default() });
    assert_eq!(last.events[0].sequence + 1, total);
    let beyond = page(EventFilter { after_sequence: Some(total), ..Default::default() });
    assert_eq!((beyond.events.len(), beyond.total), (0, total));
    let asked = EventFilter { tick: Some(2), ..Default::default() };
    assert_eq!(page(asked.clone()).filters, asked);
    let unknown = reader.events("nobody", &EventFilter::default()).unwrap();
    assert_eq!((unknown.total, unknown.events.len()), (0, 0));
}

#[test]
fn an_event_is_told_with_what_it_says_of_its_payment() {
    let (_place, database) = stored();
    let reader = database.reader().unwrap();
    let of_type = |name: &str| {
        let filter = EventFilter { event_type: Some(name.to_owned()), limit: Some(1), ..Default::default() };
        reader.events("one", &filter).unwrap().events.remove(0)
    };
    let row = of_type("Arrival");
    let event = row.to_json();
    assert_eq!(event["event_id"], format!("one:{}", row.sequence));
    for key in ["sender_id", "receiver_id", "amount", "deadline", "priority"] {
        assert_eq!(event[key], event["details"][key], "{key}");
        assert!(!event[key].is_null(), "{key}");
    }
    assert_eq!((&event["tx_ids"][0], &event["agent_id"]), (&event["tx_id"], &serde_json::Value::Null));
    let cost = of_type("CostAccrual").to_json();
    assert!(cost.get("sender_id").is_none() && cost["details"]["costs"].is_object(), "{cost}");
}

#[test]
fn senseless_event_filters_are_errors_that_help() {
    let (_place, database) = stored();
    let reader = database.reader().unwrap();
    let bounds = EventFilter { tick_min: Some(3), tick_max: Some(2), ..Default::default() };
    assert!(matches!(reader.events("one", &bounds), Err(PersistenceError::Filter { .. })));
    let typo = EventFilter { event_type: Some("Arival".to_owned()), ..Default::default() };
    let error = reader.events("one", &typo).unwrap_err();
    assert_eq!(error.hint().as_deref(), Some("did you mean `Arrival`?"));
    assert!(Sort::parse("newest").is_err());
    assert_eq!(Sort::parse("tick_desc").unwrap(), Sort::Descending);
}

#[test]
fn summaries_say_what_was_stored() {
    let (_place, database) = stored();
    let reader = database.reader().unwrap();
    let summary = reader.summary("one").unwrap().unwrap();
    assert_eq!(summary.total_ticks, 20);
    assert_eq!(summary.row.rng_seed, u64::MAX);
    assert_eq!(summary.row.purpose, Purpose::Cli);
    assert_eq!(summary.settlement_rate, summary.total_settlements as f64 / summary.total_transactions as f64);
    assert_eq!(summary.avg_daily_cost, summary.total_cost_cents as f64 / 2.0);
    assert!(reader.summary("two").unwrap().is_none());
    let events = reader.event_summary("one").unwrap();
    assert_eq!(events.total_events, summary.row.event_count);
    assert_eq!(events.num_transactions as i64, summary.total_transactions);
    assert_eq!((events.total_ticks, events.total_days), (20, 2));
    assert_eq!(events.agents, ["BANK_A", "BANK_B", "BANK_C"]);
    assert!(events.event_type_counts.is_sorted_by(|a, b| (b.1, &a.0) <= (a.1, &b.0)));
    assert_eq!(reader.event_summary("two").unwrap(), Default::default());
}

#[test]
fn simulations_are_listed_newest_first_by_filter_and_page() {
    let place = Place::new();
    let database = place.open();
    let file = scenario_file(1, 0.3);
    for number in 0..5 {
        let mut start = start_of(&format!("sim-{number}"), &file);
        start.experiment = (number > 1).then(|| ExperimentContext {
            run_id: "exp-run-test-001".to_owned(),
            iteration: 3,
            purpose: if number == 4 { Purpose::Eval } else { Purpose::New },
            agent: Some("BANK_A".to_owned()),
            sample: Some(number),
        });
        store(&database, start).wait().unwrap();
    }
    let reader = database.reader().unwrap();
    let ids = |filter: SimulationFilter| {
        let page = reader.simulations(&filter).unwrap();
        (page.rows.into_iter().map(|row| row.simulation_id).collect::<Vec<_>>(), page.total)
    };
    let none = SimulationFilter::default;
    let (all, total) = ids(none());
    assert_eq!(
        (all.as_slice(), total),
        (["sim-4", "sim-3", "sim-2", "sim-1", "sim-0"].map(str::to_owned).as_slice(), 5)
    );
    let run = Some("exp-run-test-001".to_owned());
    assert_eq!(ids(SimulationFilter { run: run.clone(), ..none() }).1, 3);
    assert_eq!(ids(SimulationFilter { iteration: Some(3), ..none() }).1, 3);
    assert_eq!(ids(SimulationFilter { purpose: Some(Purpose::Eval), ..none() }).0, ["sim-4"]);
    assert_eq!(ids(SimulationFilter { purpose: Some(Purpose::Cli), ..none() }).1, 2);
    assert_eq!(ids(SimulationFilter { status: Some(Status::Completed), ..none() }).1, 5);
    assert_eq!(ids(SimulationFilter { seed: Some(u64::MAX), ..none() }).1, 5);
    assert_eq!(ids(SimulationFilter { scenario: Some("three-banks".to_owned()), ..none() }).1, 5);
    assert_eq!(ids(SimulationFilter { text: Some("SIM-2".to_owned()), ..none() }).0, ["sim-2"]);
    let first = reader.simulations(&SimulationFilter { limit: Some(2), ..none() }).unwrap().rows;
    let after = Some((first[1].started_at, first[1].simulation_id.clone()));
    let (next, total) = ids(SimulationFilter { limit: Some(2), after, ..none() });
    assert_eq!((next, total), (vec!["sim-2".to_owned(), "sim-1".to_owned()], 5));
    let row = reader.summary("sim-3").unwrap().unwrap().row;
    assert_eq!(row.experiment_run_id, run);
    assert_eq!((row.experiment_iteration, row.experiment_sample), (Some(3), Some(3)));
    assert_eq!(row.experiment_agent.as_deref(), Some("BANK_A"));
}

#[test]
fn the_state_after_any_tick_is_the_engines() {
    let place = Place::new();
    let database = place.open();
    // Long enough for several snapshots.
    let file = scenario_file(40, 8.0);
    let start = start_of("long", &file);
    let events = simulate(&start.scenario, start.num_ticks);
    store(&database, start).wait().unwrap();
    let reader = database.reader().unwrap();
    let snapshots: i64 =
        reader.one("SELECT count(*) FROM replay_snapshots", [], |row| row.get(0)).unwrap().unwrap();
    assert!(snapshots >= 2, "{snapshots} snapshots");
    let scenario = reader.scenario("long").unwrap();
    let mut state = State::new(scenario.clone());
    for (tick, events) in (0..).map(Tick).zip(&events) {
        state.apply_tick(tick, events).unwrap();
        if tick.0 % 37 == 0 || tick.0 == 399 {
            let rebuilt = reader.state_after("long", &scenario, Some(tick)).unwrap();
            assert_eq!(rebuilt.encode().unwrap(), state.encode().unwrap(), "tick {tick}");
            let read = reader.tick_events("long", &scenario.names, tick..=tick).unwrap();
            let read: Vec<_> = read.into_iter().map(|recorded| recorded.event).collect();
            assert_eq!(read, **events);
        }
    }
    let totals = reader.ledger_after("long", &scenario, None).unwrap().totals();
    let row = reader.summary("long").unwrap().unwrap().row;
    assert_eq!(row.total_cost_cents, Some(totals.total_cost.0));
    assert_eq!(row.event_count, totals.event_count);
    assert!(matches!(reader.scenario("short"), Err(PersistenceError::Unknown { .. })));
}

#[test]
fn figures_agree_with_each_other() {
    let (_place, database) = stored();
    let reader = database.reader().unwrap();
    let row = reader.summary("one").unwrap().unwrap().row;
    let ticks = reader.tick_figures("one", 0..=u64::MAX).unwrap();
    assert_eq!(ticks.len(), 20);
    assert_eq!(Some(ticks.iter().map(|tick| tick.total_cost).sum()), row.total_cost_cents);
    assert_eq!(Some(ticks.iter().map(|tick| tick.num_arrivals).sum()), row.total_arrivals);
    assert_eq!(Some(ticks.iter().map(|tick| tick.num_settlements).sum()), row.total_settlements);
    assert_eq!(Some(ticks.iter().map(|tick| tick.num_lsm_releases).sum()), row.total_lsm_releases);
    assert_eq!(ticks.iter().map(|tick| tick.num_events).sum::<i64>() as u64, row.event_count);
    assert_eq!(reader.tick_figures("one", 4..=6).unwrap(), ticks[4..=6]);
    let costs = reader.bank_costs("one").unwrap();
    assert_eq!(Some(costs.iter().map(|bank| bank.total_cost).sum()), row.total_cost_cents);
    let days = reader.cost_trend("one", None).unwrap();
    assert_eq!(Some(days.iter().map(|day| day.total_cost).sum()), row.total_cost_cents);
    let a = reader.cost_trend("one", Some("BANK_A")).unwrap();
    let daily = reader.daily_metrics("one", Some("BANK_A")).unwrap();
    assert_eq!(
        a.iter().map(|day| day.total_cost).collect::<Vec<_>>(),
        daily.iter().map(|day| day.total_cost).collect::<Vec<_>>()
    );
    let settled = reader.settlement_by_day("one").unwrap();
    assert_eq!(Some(settled.iter().map(|day| day.num_settled).sum()), row.total_settlements);
    assert_eq!(Some(settled.iter().map(|day| day.arrived_value).sum()), row.arrived_value);
    let delays = reader.delays_by_bank("one").unwrap();
    assert_eq!(delays.iter().map(|bank| bank.max_delay_ticks).max(), row.max_delay_ticks);
    assert_eq!(reader.liquidity_used("one").unwrap().len(), 6);
    let share = reader.lsm_share("one").unwrap();
    assert_eq!(Some(share.iter().map(|day| day.num_lsm).sum()), row.total_lsm_releases);
    let scenario = reader.scenario("one").unwrap();
    let records = reader.lsm_records("one", &scenario).unwrap();
    assert_eq!(
        Some(records.iter().map(|record| record.transactions.len() as i64).sum()),
        row.total_lsm_releases
    );
    let by_kind: i64 = reader
        .one("SELECT sum(cost_cents)::BIGINT FROM cost_by_kind", [], |row| row.get(0))
        .unwrap()
        .unwrap();
    assert_eq!(Some(by_kind), row.total_cost_cents);
}

#[test]
fn payments_are_found_by_bank_and_place_with_their_story() {
    let (_place, database) = stored();
    let reader = database.reader().unwrap();
    let page = reader.payments("one", &PaymentFilter::default()).unwrap();
    assert_eq!(page.total, page.rows.len() as u64);
    let settled = reader
        .payments("one", &PaymentFilter { place: Some("settled".to_owned()), ..Default::default() })
        .unwrap();
    assert!(settled.total > 0 && settled.total <= page.total);
    let of_b = reader
        .payments("one", &PaymentFilter { bank: Some("BANK_B".to_owned()), ..Default::default() })
        .unwrap();
    assert!(of_b.rows.iter().all(|row| row.sender_id == "BANK_B" || row.receiver_id == "BANK_B"));
    let key = (page.rows[4].arrival_tick, page.rows[4].tx_id.clone());
    let next = PaymentFilter { after: Some(key), limit: Some(3), ..Default::default() };
    assert_eq!(reader.payments("one", &next).unwrap().rows, page.rows[5..8]);
    let story = reader.payment("one", &page.rows[0].tx_id).unwrap();
    assert_eq!(story.row.as_ref(), Some(&page.rows[0]));
    assert_eq!(story.events[0].event_type, "Arrival");
    let policies = reader.policies("one", Some("BANK_A")).unwrap();
    assert_eq!(policies[0].policy_json, r#"{"type":"Fifo"}"#);
    assert!(reader.policy_at("one", "BANK_A", 7).unwrap().is_some());
}

#[test]
fn two_simulations_are_compared() {
    let (_place, database) = stored();
    let reader = database.reader().unwrap();
    store(&database, start("same")).wait().unwrap();
    let mut file = scenario_file(2, 1.0);
    file.set_liquidity_fraction("BANK_A", Some(0.5)).unwrap();
    file.seed = 1;
    store(&database, start_of("other", &file)).wait().unwrap();
    assert_eq!(reader.first_divergence("one", "same").unwrap(), None);
    let divergence = reader.first_divergence("one", "other").unwrap().unwrap();
    assert_ne!(divergence.a, divergence.b);
    let before =
        EventFilter { before_sequence: Some(divergence.sequence), limit: Some(1000), ..Default::default() };
    let lines = |id: &str| -> Vec<(u64, String, String)> {
        let events = reader.event_rows(id, &before).unwrap();
        events.into_iter().map(|event| (event.tick, event.event_type, event.details)).collect()
    };
    assert_eq!(lines("one"), lines("other"));
    let comparison = reader.compare("one", "other").unwrap();
    assert!(
        comparison.settings.iter().any(|(path, ..)| path.ends_with("rng_seed")),
        "{:?}",
        comparison.settings
    );
    assert!(comparison.settings.iter().any(|(path, ..)| path.starts_with("agents[BANK_A]")));
    let costs = comparison.b.total_cost_cents - comparison.a.total_cost_cents;
    assert_eq!(comparison.differences[0], ("total_cost_cents", costs as f64));
    let bank = reader.compare_bank("one", "other", "BANK_A").unwrap();
    assert_eq!(bank.len(), 14);
    assert!(bank.iter().all(|row| row.difference == row.cost_b - row.cost_a));
    let error = reader.compare("one", "oone").unwrap_err();
    assert!(error.hint().unwrap().contains("`one`"), "{error}");
    let first = EventFilter { event_type: Some("Arrival".to_owned()), ..Default::default() };
    let found = reader.where_first(None, &first).unwrap();
    assert_eq!(
        found.iter().map(|row| row.simulation_id.as_str()).collect::<Vec<_>>(),
        ["one", "other", "same"]
    );
    assert!(found.iter().all(|row| row.event_type == "Arrival"));
    assert!(reader.where_first(Some("no-run"), &first).unwrap().is_empty());
}

#[test]
fn statements_of_the_user_only_read() {
    let (_place, database) = stored();
    let reader = database.reader().unwrap();
    let table = reader
        .sql("SELECT simulation_id, rng_seed, NULL AS x, [1, 2] AS l, 1.5::DOUBLE FROM simulations")
        .unwrap();
    assert_eq!(table.columns[..4], ["simulation_id", "rng_seed", "x", "l"]);
    assert_eq!(table.rows[0][0], SqlValue::Text("one".to_owned()));
    assert_eq!(table.rows[0][1], SqlValue::Integer(u64::MAX.into()));
    assert_eq!(table.rows[0][2], SqlValue::Null);
    assert_eq!(table.rows[0][3].to_string(), "[1,2]");
    assert_eq!(reader.sql("SELECT 1 AS a WHERE false").unwrap().columns, ["a"]);
    assert!(reader.sql("SELEC 1").is_err());
    let writing =
        "WITH a AS (SELECT 1) INSERT INTO saved_filters SELECT 'a', 'b', 'c', now()::TIMESTAMP FROM a";
    assert!(reader.sql(writing).is_err());
    for reading in [
        " -- why\n select ';' ; -- done",
        "(SELECT 1)",
        "FROM simulations;",
        "WITH a AS (SELECT $$;$$) FROM a",
        "/* x */ DESCRIBE simulations",
        "SHOW TABLES",
        "SUMMARIZE simulations",
        "VALUES (1)",
        "TABLE simulations",
        "EXPLAIN SELECT 1",
        "EXPLAIN ANALYZE SELECT 1",
        "SELECT E'\\'; SELECT 2'",
    ] {
        let table = reader.sql(reading).unwrap_or_else(|error| panic!("{reading}: {error}"));
        assert!(!table.rows.is_empty(), "{reading}");
    }
}

#[test]
fn a_query_can_be_cancelled() {
    let (_place, database) = stored();
    let reader = database.reader().unwrap();
    let interrupt = reader.interrupt();
    // Whether the query has begun is not to be seen: it is cancelled until it ends.
    let ended = Arc::new(AtomicBool::new(false));
    let seen = ended.clone();
    let canceller = std::thread::spawn(move || {
        while !seen.load(Ordering::Relaxed) {
            interrupt.cancel();
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    });
    let slow = reader.sql("SELECT sum(hash(a.range + b.range)) FROM range(1000000) a, range(1000000) b");
    ended.store(true, Ordering::Relaxed);
    assert_eq!(slow.unwrap_err(), PersistenceError::Cancelled);
    canceller.join().unwrap();
    assert!(reader.sql("SELECT 1").is_ok());
}

#[test]
fn the_file_says_what_it_holds() {
    let (_place, database) = stored();
    let info = database.reader().unwrap().info().unwrap();
    assert_eq!(info.layout, 100);
    assert!(info.duckdb.starts_with("1.5."), "{}", info.duckdb);
    assert!(info.size > 10_000);
    assert!(info.simulations.contains(&(Status::Completed, 1)));
    assert_eq!(info.largest, [("one".to_owned(), info.events)]);
    assert_eq!(info.tables.len(), crate::persistence::schema::TABLES.len());
}
