use std::fs;
use std::path::{Path, PathBuf};

use duckdb::Connection;

use super::samples::{Place, start, store};
use crate::persistence::schema::{self, Migration, Versions};
use crate::persistence::{
    Access, CheckDepth, CheckObserver, CheckProgress, Database, Defect, EventFilter, PersistenceError, open,
};
use crate::replay::State;

const fn creation(version: i32) -> Migration {
    Migration { version, description: "made for a test", sql: schema::sql }
}

/// A later program, which has a table more.
const LATER: Versions = Versions {
    creation: creation(101),
    steps: &[Migration {
        version: 101,
        description: "colours of runs",
        sql: || "CREATE TABLE colours (run_id VARCHAR PRIMARY KEY, colour VARCHAR)".to_owned(),
    }],
};

/// One whose second step cannot be done in this file.
const FAILING: Versions = Versions {
    creation: creation(102),
    steps: &[
        Migration {
            version: 101,
            description: "colours of runs",
            sql: || "CREATE TABLE colours (run_id VARCHAR PRIMARY KEY, colour VARCHAR)".to_owned(),
        },
        Migration {
            version: 102,
            description: "shapes, and a column of a table that nobody has",
            sql: || {
                "CREATE TABLE shapes (run_id VARCHAR); ALTER TABLE simulations ADD COLUMN shape VARCHAR; \
                 ALTER TABLE circles ADD COLUMN radius DOUBLE"
                    .to_owned()
            },
        },
    ],
};

fn with_a_simulation() -> Place {
    let place = Place::new();
    let database = place.open();
    store(&database, start("one")).wait().unwrap();
    place
}

fn versions(connection: &Connection) -> Vec<i32> {
    let mut statement = connection.prepare("SELECT version FROM schema_migrations ORDER BY 1").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<duckdb::Result<_>>().unwrap()
}

fn has(connection: &Connection, name: &str) -> bool {
    let query = "SELECT count(*) > 0 FROM duckdb_columns() WHERE table_name = ? OR column_name = ?";
    connection.query_row(query, [name, name], |row| row.get(0)).unwrap()
}

#[test]
fn a_file_that_cannot_be_made_whole_is_not_made() {
    let nonsense = || "CREATE TABLE a (b INTEGER); nonsense".to_owned();
    let broken = Versions {
        creation: Migration { version: 100, description: "made for a test", sql: nonsense },
        steps: &[],
    };
    let place = Place::new();
    let error = open::open_as(&place.path, Access::Write, &broken).map(drop).unwrap_err();
    assert!(matches!(error, PersistenceError::Write { .. }), "{error}");
    assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 0);
}

#[test]
fn an_older_file_is_migrated_when_it_is_to_be_written() {
    let place = with_a_simulation();
    let older = open::open_as(&place.path, Access::Read, &LATER).err().unwrap();
    assert!(matches!(older, PersistenceError::Older { found: 100, current: 101, .. }), "{older}");
    assert!(older.hint().unwrap().contains("db migrate"));
    let opened = open::open_as(&place.path, Access::Write, &LATER).unwrap();
    assert_eq!(opened.migrated_from, Some(100));
    assert_eq!(versions(&opened.connection), [100, 101]);
    assert!(has(&opened.connection, "colours"));
    let events: i64 =
        opened.connection.query_row("SELECT count(*) FROM simulation_events", [], |row| row.get(0)).unwrap();
    assert!(events > 100);
    drop(opened);
    let again = open::open_as(&place.path, Access::Write, &LATER).unwrap();
    assert_eq!((again.migrated_from, versions(&again.connection)), (None, vec![100, 101]));
    drop(again);
    // This program leaves it alone.
    let before = fs::read(&place.path).unwrap();
    for access in [Access::Read, Access::Write] {
        let newer = Database::open(&place.path, access).unwrap_err();
        assert!(matches!(newer, PersistenceError::Newer { found: 101, current: 100, .. }), "{newer}");
    }
    assert_eq!(fs::read(&place.path).unwrap(), before);
}

#[test]
fn a_step_that_fails_is_taken_back_whole() {
    let place = with_a_simulation();
    let failed = open::open_as(&place.path, Access::Write, &FAILING).err().unwrap();
    assert!(failed.to_string().contains("circles"), "{failed}");
    let connection = Connection::open(&place.path).unwrap();
    assert_eq!(versions(&connection), [100, 101], "the step before is done");
    assert!(has(&connection, "colours"));
    assert!(!has(&connection, "shapes") && !has(&connection, "shape"));
    drop(connection);
    assert!(open::open_as(&place.path, Access::Write, &LATER).is_ok(), "the file is whole");
}

#[test]
fn a_new_file_has_the_current_version_alone() {
    let place = Place::new();
    let opened = open::open_as(&place.path, Access::Write, &LATER).unwrap();
    assert_eq!((opened.migrated_from, versions(&opened.connection)), (None, vec![101]));
}

/// Every released layout, as the program of its time wrote it.
fn released() -> Vec<(i32, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/layouts");
    let mut files: Vec<(i32, PathBuf)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "duckdb"))
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().parse().unwrap(), path))
        .collect();
    files.sort();
    files
}

#[derive(Default)]
struct Defects(Vec<String>);

impl CheckObserver for Defects {
    fn found(&mut self, defect: Defect) {
        self.0.push(defect.to_string());
    }

    fn progress(&mut self, _progress: CheckProgress) {}
}

type Shape = Vec<(String, String, String, Option<String>)>;

fn shape(database: &Database) -> Shape {
    let query = "SELECT table_name, column_name, data_type, comment FROM duckdb_columns() \
                 WHERE NOT internal ORDER BY 1, 2";
    database
        .reader()
        .unwrap()
        .list(query, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .unwrap()
}

#[test]
fn every_released_layout_is_migrated_checks_clean_and_replays() {
    let released = released();
    let numbers: Vec<i32> = released.iter().map(|(version, _)| *version).collect();
    assert_eq!(numbers, (100..=schema::VERSION).collect::<Vec<_>>(), "a file for every version");
    let new = Place::new();
    let fresh = shape(&new.open());
    for (version, file) in released {
        let place = Place::new();
        fs::copy(&file, &place.path).unwrap();
        let database = place.open();
        assert_eq!(database.migrated_from(), Some(version).filter(|version| *version < schema::VERSION));
        assert_eq!(shape(&database), fresh, "layout {version}");
        let reader = database.reader().unwrap();
        let mut defects = Defects::default();
        let checked = reader.check(CheckDepth::Full, &mut defects).unwrap();
        assert_eq!(defects.0, Vec::<String>::new(), "layout {version}");
        assert!(checked.simulations > 1 && checked.events > 50, "layout {version}: {checked:?}");
        let rows = reader.simulations(&crate::persistence::SimulationFilter::default()).unwrap().rows;
        for row in rows {
            let scenario = reader.scenario(&row.simulation_id).unwrap();
            let last = row.last_tick.map(crate::time::Tick);
            let state = reader.state_after(&row.simulation_id, &scenario, last).unwrap();
            assert_eq!(state.sequence(), row.event_count);
            let mut folded = State::new(scenario.clone());
            let all = crate::time::Tick(u64::MAX);
            reader
                .each_tick(&row.simulation_id, &scenario.names, all, |tick, events| {
                    folded.apply_tick(tick, events).unwrap();
                    Ok(())
                })
                .unwrap();
            for bank in scenario.names.banks() {
                assert_eq!(folded.position(bank), state.position(bank), "layout {version}");
            }
            assert!(!reader.events(&row.simulation_id, &EventFilter::default()).unwrap().events.is_empty());
        }
        assert!(!reader.runs(&crate::persistence::RunFilter::default()).unwrap().is_empty());
    }
}
