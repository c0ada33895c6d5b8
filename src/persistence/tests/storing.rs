use std::sync::mpsc::{Sender, channel};

use super::samples::{Place, hand_over, scenario_file, simulate, start, start_of, store};
use crate::persistence::provider::Hurry;
use crate::persistence::{
    Failure, PersistenceError, SimulationCompletion, SimulationFailure, SimulationPersistenceProvider,
    Status, Ticket,
};

/// The statement of spec 06, 2.3, with which anybody can verify a digest.
const DIGEST: &str = r#"SELECT sha256(string_agg('{"sequence":' || sequence || ',"event_type":"' || event_type || '","tick":' || tick || coalesce(',"agent_id":' || to_json(agent_id), '')
       || coalesce(',"tx_id":' || to_json(tx_id), '') || CASE details WHEN '{}' THEN '' ELSE ',' || details[2:-2] END || '}' || chr(10), '' ORDER BY sequence))
FROM simulation_events WHERE simulation_id = ?"#;

#[test]
fn a_stored_simulation_has_all_its_rows() {
    let place = Place::new();
    let database = place.open();
    store(&database, start("one")).wait().unwrap();
    let reader = database.reader().unwrap();
    let digest: String = reader.one(DIGEST, ["one"], |row| row.get(0)).unwrap().unwrap();
    let (stored, status, last, count, cost, arrivals): (String, String, i64, i64, i64, i64) = reader
        .one(
            "SELECT event_digest, status, last_tick, event_count, total_cost_cents, total_arrivals \
             FROM simulations",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?)),
        )
        .unwrap()
        .unwrap();
    assert_eq!(digest, stored);
    assert_eq!((status.as_str(), last), ("completed", 19));
    let one = |query: &str| reader.one(query, [], |row| row.get::<_, i64>(0)).unwrap().unwrap();
    assert_eq!(one("SELECT count(*) FROM simulation_events"), count);
    assert_eq!(one("SELECT count(*) FROM simulation_events WHERE event_type = 'Arrival'"), arrivals);
    assert_eq!(one("SELECT count(*) FROM transactions"), arrivals);
    assert_eq!(one("SELECT count(DISTINCT tx_id) FROM transactions"), arrivals);
    assert_eq!(one("SELECT sum(total_cost)::BIGINT FROM daily_agent_metrics"), cost);
    assert_eq!(one("SELECT count(*) FROM daily_agent_metrics"), 6);
    assert_eq!(one("SELECT count(*) FROM policy_snapshots"), 1);
    let costs = "SELECT sum((details->'$.costs.total')::BIGINT)::BIGINT FROM simulation_events \
                 WHERE event_type = 'CostAccrual'";
    assert_eq!(one(costs), cost);
    assert_eq!(
        one("SELECT arrived_value - settled_value - queued_value - dropped_value FROM simulations"),
        0
    );
    assert!(arrivals > 20 && cost > 0, "{arrivals} {cost}");
    let seed: u64 = reader.one("SELECT rng_seed FROM simulations", [], |row| row.get(0)).unwrap().unwrap();
    assert_eq!(seed, u64::MAX);
}

#[test]
fn ids_are_refused_before_anything_is_simulated() {
    let place = Place::new();
    let database = place.open();
    let provider = database.provider().unwrap();
    provider.persist_simulation_start(start("one")).unwrap();
    let again = provider.persist_simulation_start(start("one")).unwrap_err();
    assert!(matches!(&again, PersistenceError::Exists { what: "simulation", id } if id == "one"));
    assert!(again.hint().is_some());
    for bad in ["", "a\tb", "new\nline"] {
        let error = provider.persist_simulation_start(start(bad)).unwrap_err();
        assert!(matches!(error, PersistenceError::BadId { .. }), "{error}");
    }
    provider
        .persist_simulation_complete("one", SimulationCompletion::default())
        .and_then(Ticket::wait)
        .unwrap();
    drop((provider, database));
    let provider = place.open().provider().unwrap();
    assert!(matches!(provider.persist_simulation_start(start("one")), Err(PersistenceError::Exists { .. })));
}

#[test]
fn ticks_out_of_order_are_errors_of_the_program() {
    let place = Place::new();
    let provider = place.open().provider().unwrap();
    let start = start("one");
    let ticks = simulate(&start.scenario, 2);
    provider.persist_simulation_start(start).unwrap();
    let record = crate::persistence::TickRecord {
        tick: crate::time::Tick(1),
        first_sequence: 0,
        events: ticks[1].clone(),
        checkpoint: None,
    };
    let error = provider.persist_tick_events("one", record).unwrap_err();
    assert!(matches!(error, PersistenceError::OutOfOrder { .. }), "{error}");
    assert!(provider.persist_simulation_complete("two", SimulationCompletion::default()).is_err());
}

#[test]
fn others_see_whole_ticks_while_it_runs() {
    let place = Place::new();
    let database = place.open();
    let provider = database.provider().unwrap();
    let start = start("live");
    let ticks = simulate(&start.scenario, 5);
    provider.persist_simulation_start(start).unwrap();
    let events = hand_over(&provider, "live", &ticks) as i64;
    let reader = database.reader().unwrap();
    let begun = std::time::Instant::now();
    let seen = loop {
        let seen: Option<(String, Option<i64>, i64, String)> = reader
            .one("SELECT status, last_tick, event_count, event_digest FROM simulations", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .unwrap();
        if let Some(seen) = seen.filter(|seen| seen.1 == Some(4)) {
            break seen;
        }
        assert!(begun.elapsed().as_secs() < 60, "nothing to see");
        std::thread::sleep(std::time::Duration::from_millis(10));
    };
    let stored: i64 =
        reader.one("SELECT count(*) FROM simulation_events", [], |row| row.get(0)).unwrap().unwrap();
    let digest: String = reader.one(DIGEST, ["live"], |row| row.get(0)).unwrap().unwrap();
    assert_eq!(seen, ("running".to_owned(), Some(4), events, digest));
    assert_eq!(stored, events);
}

#[test]
fn a_failed_simulation_keeps_its_complete_ticks_and_the_reason() {
    let place = Place::new();
    let database = place.open();
    let provider = database.provider().unwrap();
    let start = start("half");
    let ticks = simulate(&start.scenario, 7);
    provider.persist_simulation_start(start).unwrap();
    hand_over(&provider, "half", &ticks);
    let failure = SimulationFailure {
        outcome: Failure::Failed,
        error: "tick 7: overflow".to_owned(),
        duration_seconds: 0.0,
        checkpoint: None,
    };
    provider.persist_simulation_failed("half", failure).unwrap().wait().unwrap();
    let summary = database.reader().unwrap().summary("half").unwrap().unwrap();
    assert_eq!(summary.row.status, Status::Failed);
    assert_eq!(summary.row.last_tick, Some(6));
    assert_eq!(summary.row.error.as_deref(), Some("tick 7: overflow"));
    assert_eq!(summary.row.ticks_per_second, Some(0.0));
    let reader = database.reader().unwrap();
    let one = |query: &str| reader.one(query, [], |row| row.get::<_, i64>(0)).unwrap().unwrap();
    assert_eq!(one("SELECT count(*) FROM transactions"), summary.total_transactions);
    assert_eq!(one("SELECT count(*) FROM daily_agent_metrics WHERE day = 0"), 3);
}

#[test]
fn a_batch_that_cannot_be_written_leaves_nothing_but_the_failure() {
    let place = Place::new();
    let database = place.open();
    store(&database, start("before")).wait().unwrap();
    database.reader().unwrap().connection.execute_batch("ALTER TABLE transactions RENAME TO gone").unwrap();
    let error = store(&database, start("lost")).wait().unwrap_err();
    assert!(matches!(&error, PersistenceError::Write { .. }), "{error}");
    assert!(error.to_string().contains("transactions"), "{error}");
    let reader = database.reader().unwrap();
    let row = reader.summary("lost").unwrap().unwrap().row;
    assert_eq!((row.status, row.event_count, row.last_tick), (Status::Failed, 0, None));
    assert!(row.error.unwrap().contains("could not be written"));
    let left: i64 = reader
        .one("SELECT count(*) FROM simulation_events WHERE simulation_id = 'lost'", [], |row| row.get(0))
        .unwrap()
        .unwrap();
    assert_eq!(left, 0);
    assert_eq!(reader.summary("before").unwrap().unwrap().row.status, Status::Completed);
    reader.connection.execute_batch("ALTER TABLE gone RENAME TO transactions").unwrap();
    store(&database, start("after")).wait().unwrap();
}

#[test]
fn a_simulation_that_could_not_be_stored_is_no_longer_running() {
    let place = Place::new();
    let database = place.open();
    let provider = database.provider().unwrap();
    let start = start("lost");
    let ticks = simulate(&start.scenario, 5);
    provider.persist_simulation_start(start).unwrap();
    hand_over(&provider, "lost", &ticks);
    let running = database.remove(&["lost".to_owned()], &[]).unwrap_err();
    assert!(matches!(running, PersistenceError::OutOfOrder { .. }), "{running}");
    let connection = database.connection().unwrap();
    connection.execute_batch("ALTER TABLE simulation_events RENAME TO gone").unwrap();
    // What is committed next takes the ticks with it.
    store(&database, start_of("other", &scenario_file(1, 0.5))).wait().unwrap_err();
    connection.execute_batch("ALTER TABLE gone RENAME TO simulation_events").unwrap();
    // Its caller has not noticed yet.
    database.remove(&["lost".to_owned()], &[]).unwrap();
    assert!(database.reader().unwrap().summary("lost").unwrap().is_none());
    let cause = provider.persist_simulation_complete("lost", SimulationCompletion::default()).unwrap_err();
    assert!(matches!(cause, PersistenceError::OutOfOrder { .. }), "{cause}");
}

#[test]
fn a_simulation_can_be_taken_back_and_its_id_used_again() {
    let place = Place::new();
    let database = place.open();
    store(&database, start("one")).wait().unwrap();
    store(&database, start("two")).wait().unwrap();
    database.remove(&["one".to_owned()], &[]).unwrap();
    let reader = database.reader().unwrap();
    for table in crate::persistence::schema::SIMULATION_TABLES {
        let query = format!("SELECT count(*) FROM {table} WHERE simulation_id = 'one'");
        assert_eq!(reader.one(&query, [], |row| row.get::<_, i64>(0)).unwrap(), Some(0), "{table}");
    }
    assert!(reader.summary("one").unwrap().is_none());
    store(&database, start("one")).wait().unwrap();
    assert_eq!(reader.summary("one").unwrap().unwrap().row.status, Status::Completed);
}

#[derive(Debug)]
struct Hurried(Sender<()>);

impl Hurry for Hurried {
    fn hurry(&self) {
        self.0.send(()).unwrap();
    }
}

#[test]
fn a_commit_is_asked_for_only_as_long_as_it_is_not_done() {
    for (done_before, asked) in [(true, 0), (false, 1)] {
        let ((reply, done), (asks, heard)) = (channel(), channel());
        let reply = if done_before {
            reply.send(Ok(())).unwrap();
            None
        } else {
            Some(reply)
        };
        let ticket = Ticket::new(done, Box::new(Hurried(asks)));
        // Without an answer the writer is gone.
        drop(reply);
        assert_eq!(ticket.wait().is_ok(), done_before);
        assert_eq!(heard.iter().count(), asked);
    }
}

#[test]
fn many_short_simulations_wait_once() {
    let place = Place::new();
    let database = place.open();
    let file = scenario_file(1, 0.5);
    let tickets: Vec<_> =
        (0..200).map(|number| store(&database, start_of(&number.to_string(), &file))).collect();
    Ticket::wait_all(tickets).unwrap();
    let reader = database.reader().unwrap();
    let digests: i64 = reader
        .one("SELECT count(DISTINCT event_digest) FROM simulations WHERE status = 'completed'", [], |row| {
            row.get(0)
        })
        .unwrap()
        .unwrap();
    assert_eq!(digests, 1);
}
