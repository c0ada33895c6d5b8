//! Databases of the reference: the samples in `tests/databases`, and files that lack something.

use std::fs;
use std::path::PathBuf;

use duckdb::Connection;
use serde_json::{Map, Value};

use super::samples::{Place, start, store};
use crate::metrics::Ledger;
use crate::persistence::{
    Access, Database, EventFilter, EventRow, Layout, PersistenceError, RunFilter, SimulationFilter, Status,
};
use crate::time::Tick;

/// The two simulations of the sample and their expected events.
const SIMULATIONS: [(&str, &str); 2] = [
    ("reference-full", "reference-run-reference-full.events.jsonl"),
    ("sim-e57c762e", "reference-run-second.events.jsonl"),
];

fn sample(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/databases").join(name)
}

/// A copy of a sample: a test has a file of its own.
fn opened(name: &str) -> (Place, Database) {
    let place = Place::new();
    let path = place.folder.path().join(name);
    fs::copy(sample(name), &path).unwrap();
    let database = Database::open(path, Access::Read).unwrap();
    (place, database)
}

fn expected() -> Value {
    serde_json::from_str(&fs::read_to_string(sample("reference-run.expected.json")).unwrap()).unwrap()
}

/// The event as a flat object without its number.
fn flat(row: &EventRow) -> Value {
    let mut event: Map<String, Value> = serde_json::from_str(&row.details).unwrap();
    event.insert("event_type".to_owned(), row.event_type.clone().into());
    event.insert("tick".to_owned(), row.tick.into());
    for (key, value) in [("agent_id", &row.agent_id), ("tx_id", &row.tx_id)] {
        if let Some(value) = value {
            event.insert(key.to_owned(), value.clone().into());
        }
    }
    event.into()
}

fn events_of(database: &Database, id: &str) -> Vec<EventRow> {
    database.reader().unwrap().all_events(id, &EventFilter::default()).unwrap()
}

fn check_events(database: &Database, prefix: &str) {
    for (id, file) in SIMULATIONS {
        let rows = events_of(database, &format!("{prefix}{id}"));
        let wanted = fs::read_to_string(sample(file)).unwrap();
        for (row, line) in rows.iter().zip(wanted.lines()) {
            assert_eq!(flat(row), serde_json::from_str::<Value>(line).unwrap(), "event {}", row.sequence);
            assert!(!row.details.contains(": "), "{}", row.details);
        }
        assert_eq!(rows.len(), wanted.lines().count());
        assert!(rows.iter().zip(0..).all(|(row, sequence)| row.sequence == sequence));
    }
}

#[test]
fn events_read_back_as_they_were_recorded() {
    let (_place, database) = opened("reference-run.duckdb");
    assert_eq!(database.layout(), Layout::Reference);
    assert_eq!(database.warnings(), [] as [String; 0]);
    check_events(&database, "");
}

#[test]
fn totals_and_counts_are_those_of_the_file() {
    let (_place, database) = opened("reference-run.duckdb");
    let reader = database.reader().unwrap();
    for wanted in expected()["simulations"].as_array().unwrap() {
        let id = wanted["simulation_id"].as_str().unwrap();
        let summary = reader.summary(id).unwrap().unwrap();
        assert_eq!(summary.row.status, Status::Completed);
        assert_eq!(summary.row.engine_version, "reference");
        for (key, value) in [
            ("rng_seed", i64::try_from(summary.row.rng_seed).unwrap()),
            ("ticks_per_day", summary.row.ticks_per_day.try_into().unwrap()),
            ("num_days", summary.row.num_days.try_into().unwrap()),
            ("num_agents", summary.row.num_agents.try_into().unwrap()),
            ("total_arrivals", summary.total_transactions),
            ("total_settlements", summary.total_settlements),
            ("total_cost_cents", summary.total_cost_cents),
            ("events", summary.row.event_count.try_into().unwrap()),
        ] {
            assert_eq!(wanted[key], value, "{id}: {key}");
        }
        let counted = reader.event_summary(id).unwrap();
        let by_type: Map<String, Value> =
            counted.event_type_counts.into_iter().map(|(kind, count)| (kind, count.into())).collect();
        assert_eq!(Value::from(by_type), wanted["events_by_type"]);
        let figures = reader.tick_figures(id, 0..=u64::MAX).unwrap();
        let by_tick: Vec<i64> = figures.iter().map(|tick| tick.num_events).collect();
        assert_eq!(Value::from(by_tick), wanted["events_by_tick"]);
        // Parts are not arrivals, though their events do not say so.
        assert_eq!(figures.iter().map(|tick| tick.num_arrivals).sum::<i64>(), summary.total_transactions);
    }
}

/// Balance and posted collateral of every bank at the end of every tick as the reference stored them.
#[test]
fn the_fold_gives_the_stored_balances() {
    let (_place, database) = opened("reference-run.duckdb");
    let reader = database.reader().unwrap();
    let states: Vec<(u64, String, i64, i64)> = reader
        .list(
            "SELECT tick, agent_id, balance, posted_collateral FROM reference.tick_agent_states \
             WHERE simulation_id = 'reference-full' ORDER BY tick, agent_id",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .unwrap();
    assert_eq!(states.len(), 72);
    let scenario = reader.scenario("reference-full").unwrap();
    let mut ledger = Ledger::new(scenario.clone());
    let mut differing = Vec::new();
    reader
        .each_tick("reference-full", &scenario.names, Tick(u64::MAX), |tick, events| {
            ledger.tick(tick, events).unwrap();
            for (_, bank, balance, posted) in states.iter().filter(|state| state.0 == tick.0) {
                let bank = ledger.state().bank(scenario.names.find(bank).unwrap()).unwrap();
                if (bank.balance.0, bank.posted.0) != (*balance, *posted) {
                    differing.push((tick, bank.balance.0, *balance, bank.posted.0, *posted));
                }
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(differing, []);
    assert_eq!(ledger.state().doubts().first, None);
}

#[test]
fn runs_of_experiments_have_their_iterations_and_simulations() {
    let (_place, database) = opened("experiment-run.duckdb");
    let reader = database.reader().unwrap();
    let runs = reader.runs(&RunFilter::default()).unwrap();
    let run = &runs[0];
    assert_eq!((runs.len(), run.run_id.as_str()), (1, "harbour-20261123-071353-dfdc81"));
    assert_eq!((run.first_cost, run.final_cost, run.best_cost), (Some(1800), Some(1512), Some(1512)));
    assert_eq!((run.num_simulations, run.num_events, run.num_accepted), (3, 99, 2));
    let totals: Vec<i64> = reader.iterations(&run.run_id).unwrap().iter().map(|row| row.total_cost).collect();
    assert_eq!(totals, [1800, 1710, 1512]);
    let live = reader.live_events(&run.run_id, None).unwrap();
    assert!(live.len() == 7 && live.iter().all(|event| event.event_type != "simulation_run"));
    let simulations = reader.simulations(&SimulationFilter::default()).unwrap().rows;
    let mut told: Vec<_> = simulations
        .iter()
        .map(|row| (row.experiment_iteration, row.rng_seed, row.purpose.name(), row.status))
        .collect();
    told.sort_unstable();
    let eval = |iteration, seed| (Some(iteration), seed, "eval", Status::Completed);
    assert_eq!(told, [eval(0, 244_088_157), eval(1, 1_666_518_642), eval(2, 1_122_241_309)]);
    for row in &simulations {
        // With the evaluated policies the day begins with their share of the pool.
        let scenario = reader.scenario(&row.simulation_id).unwrap();
        let state = reader.state_after(&row.simulation_id, &scenario, Some(Tick(5))).unwrap();
        assert_eq!(state.doubts().count, 0, "{:?}", state.doubts());
    }
}

#[test]
fn an_import_keeps_events_and_makes_digests() {
    for name in ["reference-run.duckdb", "experiment-run.duckdb"] {
        let place = Place::new();
        let database = place.open();
        let done = database.import(&sample(name), "old-", &|| false).unwrap();
        let (_read, shown) = opened(name);
        let wanted = shown.reader().unwrap().simulations(&SimulationFilter::default()).unwrap().rows;
        assert_eq!(done.simulations, wanted.len() as u64);
        assert_eq!(done.events, wanted.iter().map(|row| row.event_count).sum::<u64>());
        let reader = database.reader().unwrap();
        for row in wanted {
            let got = reader.summary(&format!("old-{}", row.simulation_id)).unwrap().unwrap().row;
            assert_eq!(got.event_digest, row.event_digest);
            assert_eq!((got.event_count, got.last_tick), (row.event_count, row.last_tick));
            let run = row.experiment_run_id.map(|run| format!("old-{run}"));
            assert_eq!(got.experiment_run_id, run);
        }
        if name == "reference-run.duckdb" {
            check_events(&database, "old-");
        }
        let again = database.import(&sample(name), "old-", &|| false).unwrap_err();
        assert!(matches!(again, PersistenceError::ImportExists { .. }), "{again}");
        assert!(again.hint().unwrap().contains("--prefix"));
    }
}

#[test]
fn a_file_of_our_own_is_imported_with_all_its_rows() {
    let from = Place::new();
    let database = from.open();
    store(&database, start("sim-a")).wait().unwrap();
    drop(database);
    let into = Place::new();
    let database = into.open();
    let done = database.import(&from.path, "new-", &|| false).unwrap();
    assert_eq!((done.simulations, done.runs), (1, 0));
    assert!(done.warnings.is_empty());
    drop(database);
    let (old, new) = (Database::open(&from.path, Access::Read), Database::open(&into.path, Access::Read));
    let (old, new) = (old.unwrap().reader().unwrap(), new.unwrap().reader().unwrap());
    for (table, own) in [
        ("simulations", "simulation_id"),
        ("simulation_events", "simulation_id, event_id"),
        ("transactions", "simulation_id"),
        ("daily_agent_metrics", "simulation_id"),
        ("policy_snapshots", "simulation_id"),
    ] {
        let query = format!(
            "SELECT md5(string_agg(rest::VARCHAR, '|' ORDER BY rowid)) FROM \
                             (SELECT rowid, COLUMNS(* EXCLUDE ({own})) AS rest FROM {table})"
        );
        let query = if table == "simulations" {
            "SELECT event_digest || config_hash || started_at || total_cost_cents FROM simulations".to_owned()
        } else {
            query.replace("COLUMNS(* EXCLUDE", "row(COLUMNS(* EXCLUDE").replace(")) AS rest", "))) AS rest")
        };
        let read = |reader: &crate::persistence::Reader| -> Option<String> {
            reader.one(&query, [], |row| row.get(0)).unwrap().flatten()
        };
        assert!(read(&old).is_some(), "{table}");
        assert_eq!(read(&old), read(&new), "{table}");
    }
    assert!(new.summary("new-sim-a").unwrap().is_some());
}

#[test]
fn an_import_that_is_stopped_says_how_far_it_came() {
    let from = Place::new();
    let database = from.open();
    for id in ["sim-a", "sim-b", "sim-c"] {
        store(&database, start(id)).wait().unwrap();
    }
    drop(database);
    let place = Place::new();
    let database = place.open();
    let stored = || database.reader().unwrap().simulation_ids().unwrap();
    let stopped = database.import(&from.path, "", &|| stored().len() == 2).unwrap_err();
    assert_eq!(stored(), ["sim-a", "sim-b"]);
    assert_eq!(
        stopped.to_string(),
        "the query was cancelled; imported before: 2 of 3 simulations, 0 of 0 runs"
    );
    // The id of what did not come is free.
    store(&database, start("sim-c")).wait().unwrap();
    let at_once = database.import(&from.path, "x-", &|| true).unwrap_err();
    assert_eq!(at_once, PersistenceError::Cancelled);
}

#[test]
fn a_file_with_two_names_is_opened_once() {
    let place = Place::new();
    let database = place.open();
    let other = place.folder.path().join("other.duckdb");
    fs::hard_link(&place.path, &other).unwrap();
    let same = Database::open(&other, Access::Write).unwrap();
    assert_eq!(same.path(), database.path());
    let itself = database.import(&other, "", &|| false).unwrap_err();
    assert!(matches!(itself, PersistenceError::ImportItself(_)), "{itself}");
}

#[test]
fn what_cannot_be_imported_is_refused() {
    let place = Place::new();
    let database = place.open();
    let itself = database.import(&place.path, "", &|| false).unwrap_err();
    assert!(matches!(itself, PersistenceError::ImportItself(_)), "{itself}");
    let missing = database.import(&place.folder.path().join("no.duckdb"), "", &|| false).unwrap_err();
    assert!(matches!(missing, PersistenceError::Missing(_)), "{missing}");
    let text = place.folder.path().join("text.duckdb");
    fs::write(&text, "no database").unwrap();
    assert!(matches!(database.import(&text, "", &|| false), Err(PersistenceError::NotADatabase(_))));
    let bad = database.import(&sample("reference-run.duckdb"), "a\nb", &|| false).unwrap_err();
    assert!(matches!(bad, PersistenceError::BadId { .. }), "{bad}");
}

/// Files that lack columns, scenarios and order, and events that break rules of our fold.
#[test]
fn whatever_a_file_lacks_it_is_shown() {
    let place = Place::new();
    Connection::open(&place.path)
        .unwrap()
        .execute_batch(
            "CREATE TABLE simulations (simulation_id VARCHAR, config_hash VARCHAR, config_json VARCHAR, \
             ticks_per_day BIGINT, num_days BIGINT, status VARCHAR); \
             INSERT INTO simulations VALUES ('bare', 'x', NULL, 3, 1, 'completed'), \
             ('broken', 'x', '{\"agents\": [{\"id\": \"A\", \"opening_balance\": 100, \
               \"policy\": {\"type\": \"FromJson\", \"json_path\": \"gone.json\"}}, \
               {\"id\": \"B\", \"opening_balance\": 50}], \"cost_rates\": {\"nonsense\": -1, \
               \"eod_penalty\": \"text\"}}', NULL, NULL, 'running'), \
             ('empty', NULL, NULL, NULL, NULL, NULL); \
             CREATE TABLE simulation_events (simulation_id VARCHAR, tick INTEGER, event_type VARCHAR, \
             details VARCHAR, agent_id VARCHAR, tx_id VARCHAR, event_timestamp TIMESTAMP); \
             INSERT INTO simulation_events VALUES \
             ('bare', 0, 'RtgsImmediateSettlement', '{\"sender\": \"A\", \"receiver\": \"B\", \"amount\": 7, \
               \"sender_balance_before\": 90, \"sender_balance_after\": 83}', NULL, \
               '840f882f-819d-4741-8dcb-e89fde80ea4f', NULL), \
             ('bare', 1, 'Mystery', '{\"b\": [1, 2.0], \"a\": NaN}', 'A', NULL, NULL), \
             ('bare', 1, 'QueuedRtgs', 'no json', NULL, 'tx', NULL), \
             ('bare', 2, 'EndOfDay', '{\"day\": 0, \"unsettled_count\": 4, \"total_penalties\": 0}', NULL, \
               NULL, NULL), \
             ('bare', NULL, 'PolicySubmit', '{}', 'A', 'x', NULL), \
             ('bare', 2000000000, 'PolicySubmit', '{}', 'A', 'x', NULL)",
        )
        .unwrap();
    let database = Database::open(&place.path, Access::Read).unwrap();
    let reader = database.reader().unwrap();
    let row = reader.summary("bare").unwrap().unwrap().row;
    assert_eq!((row.status, row.event_count, row.last_tick), (Status::Completed, 4, Some(2)));
    let error = row.error.unwrap();
    for part in ["scenario", "2 events", "uncertain: ", "the balance is 90"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    let events = events_of(&database, "bare");
    assert_eq!(events[1].details, r#"{"b":[1,2.0],"a":"NaN"}"#);
    assert_eq!(events[2].details, r#"{"details":"no json"}"#);
    let scenario = reader.scenario("bare").unwrap();
    let state = reader.state_after("bare", &scenario, Some(Tick(2))).unwrap();
    let balances: Vec<i64> = state.banks().iter().map(|bank| bank.balance.0).collect();
    assert_eq!(balances, [83, 7]);
    let row = reader.summary("broken").unwrap().unwrap().row;
    assert_eq!((row.status, row.num_agents), (Status::Interrupted, 2));
    assert!(row.error.unwrap().contains("`policy` of bank `A`"));
    assert!(database.warnings()[0].contains("`empty`"), "{:?}", database.warnings());
}
