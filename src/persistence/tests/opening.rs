use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use duckdb::Connection;

use super::samples::{Place, hand_over, simulate, start, store};
use crate::persistence::{Access, Database, PersistenceError, SimulationPersistenceProvider, Status};

fn refused(place: &Place, access: Access) -> PersistenceError {
    Database::open(&place.path, access).unwrap_err()
}

fn with_tables(sql: &str) -> Place {
    let place = Place::new();
    Connection::open(&place.path).unwrap().execute_batch(sql).unwrap();
    place
}

#[test]
fn reading_makes_no_file() {
    let place = Place::new();
    assert_eq!(refused(&place, Access::Read), PersistenceError::Missing(place.path.clone()));
    assert!(!place.path.exists());
    let nowhere = place.folder.path().join("no/such/folder/x.duckdb");
    assert!(matches!(Database::open(nowhere, Access::Write), Err(PersistenceError::NoFolder(_))));
}

#[test]
fn what_is_no_database_is_left_alone() {
    for content in ["", "agents:\n  - id: BANK_A\n", "short"] {
        let place = Place::new();
        fs::write(&place.path, content).unwrap();
        for access in [Access::Read, Access::Write] {
            assert!(matches!(refused(&place, access), PersistenceError::NotADatabase(_)), "{content:?}");
        }
        assert_eq!(fs::read_to_string(&place.path).unwrap(), content);
    }
    let place = Place::new();
    let folder = Database::open(place.folder.path(), Access::Write).unwrap_err();
    assert!(matches!(folder, PersistenceError::NotADatabase(_)), "{folder}");
}

#[test]
fn tables_of_others_are_left_alone() {
    for tables in [
        "CREATE TABLE cats (name VARCHAR)",
        "CREATE SCHEMA other; CREATE TABLE other.simulations (simulation_id VARCHAR, config_hash VARCHAR)",
    ] {
        let place = with_tables(tables);
        let before = fs::read(&place.path).unwrap();
        for access in [Access::Read, Access::Write] {
            assert!(matches!(refused(&place, access), PersistenceError::Foreign(_)), "{tables}");
        }
        assert_eq!(fs::read(&place.path).unwrap(), before);
    }
}

#[test]
fn a_file_without_tables_is_taken_as_new() {
    let place = with_tables("SELECT 1");
    assert!(place.open().is_writable());
}

#[test]
fn a_newer_layout_is_named_and_left_alone() {
    let place = Place::new();
    drop(place.open());
    Connection::open(&place.path)
        .unwrap()
        .execute_batch("INSERT INTO schema_migrations VALUES (170, now()::TIMESTAMP, 'future')")
        .unwrap();
    let before = fs::read(&place.path).unwrap();
    let error = refused(&place, Access::Write);
    assert!(matches!(error, PersistenceError::Newer { found: 170, .. }), "{error}");
    assert!(error.to_string().contains("170") && error.to_string().contains("100"), "{error}");
    assert!(matches!(refused(&place, Access::Read), PersistenceError::Newer { .. }));
    assert_eq!(fs::read(&place.path).unwrap(), before);
}

#[test]
fn the_references_layouts_are_only_read() {
    for tables in [
        "CREATE TABLE simulations (simulation_id VARCHAR, config_hash VARCHAR)",
        "CREATE TABLE experiments (run_id VARCHAR); CREATE TABLE schema_migrations (version INTEGER); \
         INSERT INTO schema_migrations VALUES (4)",
    ] {
        let place = with_tables(tables);
        let error = refused(&place, Access::Write);
        assert!(matches!(error, PersistenceError::Reference(_)), "{error}");
        assert!(error.hint().unwrap().contains("db import"));
        assert_eq!(
            Database::open(&place.path, Access::Read).unwrap().layout(),
            crate::persistence::Layout::Reference
        );
    }
}

#[test]
fn a_read_only_file_or_folder_is_read_and_not_written() {
    let place = Place::new();
    drop(place.open());
    let set = |path: &std::path::Path, readonly: bool| {
        let mut permissions = fs::metadata(path).unwrap().permissions();
        #[allow(clippy::permissions_set_readonly_false, reason = "the folder is deleted after the test")]
        permissions.set_readonly(readonly);
        fs::set_permissions(path, permissions).unwrap();
    };
    for target in [place.path.as_path(), place.folder.path()] {
        set(target, true);
        let error = refused(&place, Access::Write);
        assert!(matches!(error, PersistenceError::ReadOnly { .. }), "{error}");
        drop(Database::open(&place.path, Access::Read).unwrap());
        set(target, false);
    }
}

#[test]
fn one_process_has_one_handle_on_a_file() {
    let place = Place::new();
    let first = place.open();
    let link = place.folder.path().join("./test.duckdb");
    let second = Database::open(link, Access::Read).unwrap();
    assert!(second.is_writable());
    store(&first, start("one")).wait().unwrap();
    assert!(second.reader().unwrap().summary("one").unwrap().is_some());
    drop((first, second));
    let reading = Database::open(&place.path, Access::Read).unwrap();
    assert!(!reading.is_writable());
    assert!(matches!(refused(&place, Access::Write), PersistenceError::OpenForReading(_)));
    assert!(matches!(reading.provider(), Err(PersistenceError::ReadOnly { .. })));
}

const HOLD: &str = "PAYMENT_SIM_TEST_HOLD";

/// Not a test by itself: another process that holds the file of its environment variable.
#[test]
fn hold_a_file() {
    let Ok(path) = std::env::var(HOLD) else { return };
    let database = Database::open(path, Access::Write).unwrap();
    let provider = database.provider().unwrap();
    let start = start("abandoned");
    let ticks = simulate(&start.scenario, 15);
    provider.persist_simulation_start(start).unwrap();
    hand_over(&provider, "abandoned", &ticks);
    // It waits for everything that was handed over before.
    database.remove(&[], &[]).unwrap();
    #[allow(clippy::print_stdout, reason = "the parent waits for this line")]
    {
        println!("holding");
    }
    std::thread::sleep(Duration::from_secs(60));
}

struct Holder(std::process::Child);

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn hold(place: &Place) -> Holder {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["hold_a_file", "--nocapture"])
        .env(HOLD, &place.path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut output = child.stdout.take().unwrap();
    let holder = Holder(child);
    let mut said = Vec::new();
    let mut bytes = [0; 256];
    while !String::from_utf8_lossy(&said).contains("holding") {
        let read = output.read(&mut bytes).unwrap();
        assert!(read > 0, "the holder ended: {}", String::from_utf8_lossy(&said));
        said.extend_from_slice(&bytes[..read]);
    }
    holder
}

#[test]
fn another_process_is_named() {
    let place = Place::new();
    let holder = hold(&place);
    for access in [Access::Read, Access::Write] {
        let error = refused(&place, access);
        let PersistenceError::Locked { holder: named, .. } = &error else { panic!("{error}") };
        assert!(named.contains(&holder.0.id().to_string()), "{named}");
        assert!(error.hint().unwrap().contains("db snapshot"));
    }
}

#[test]
fn what_a_killed_process_left_is_interrupted_and_completed() {
    let place = Place::new();
    drop(hold(&place));
    let reading = Database::open(&place.path, Access::Read).unwrap();
    let shown = reading.reader().unwrap().summary("abandoned").unwrap().unwrap();
    assert_eq!(shown.row.status, Status::Interrupted);
    drop(reading);
    let database = place.open();
    let reader = database.reader().unwrap();
    let row = reader.summary("abandoned").unwrap().unwrap().row;
    assert_eq!((row.status, row.last_tick), (Status::Interrupted, Some(14)));
    assert_eq!(row.error.as_deref(), Some("interrupted: 15 of 20 ticks are stored"));
    assert!(row.ended_at.unwrap() >= row.started_at);
    let begun = Instant::now();
    let summary = loop {
        let summary = reader.summary("abandoned").unwrap().unwrap();
        if summary.row.total_cost_cents.is_some() {
            break summary;
        }
        assert!(begun.elapsed().as_secs() < 60, "no totals");
        std::thread::sleep(Duration::from_millis(10));
    };
    let one = |query: &str| reader.one(query, [], |row| row.get::<_, i64>(0)).unwrap().unwrap();
    assert_eq!(one("SELECT count(*) FROM transactions"), summary.total_transactions);
    assert_eq!(one("SELECT count(DISTINCT tx_id) FROM transactions"), summary.total_transactions);
    assert_eq!(one("SELECT count(*) FROM daily_agent_metrics"), 6);
    assert_eq!(one("SELECT sum(total_cost)::BIGINT FROM daily_agent_metrics"), summary.total_cost_cents);
}

#[test]
fn a_file_without_tables_is_not_read() {
    let place = with_tables("SELECT 1");
    assert!(matches!(refused(&place, Access::Read), PersistenceError::Empty(_)));
}

/// The logs that are kept beside a file.
fn kept_logs(place: &Place) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(place.folder.path()).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.to_string_lossy().contains(".wal.damaged-")).collect()
}

#[test]
fn a_log_that_is_damaged_at_its_beginning_is_kept_and_named() {
    let held = Place::new();
    drop(hold(&held));
    let (file, log) =
        (fs::read(&held.path).unwrap(), fs::read(held.folder.path().join("test.duckdb.wal")).unwrap());
    let mut passed_over = 0;
    for (offset, access) in
        [0, 4, 8, 16, 24, 28, 32, 40].into_iter().flat_map(|at| [(at, Access::Read), (at, Access::Write)])
    {
        let place = Place::new();
        let beside = place.folder.path().join("test.duckdb.wal");
        let mut damaged = log.clone();
        damaged[offset] ^= 0x5a;
        fs::write(&place.path, &file).unwrap();
        fs::write(&beside, &damaged).unwrap();
        let database = Database::open(&place.path, access).unwrap();
        if let Some(row) = database.reader().unwrap().summary("abandoned").unwrap() {
            // Not everything in the head counts.
            assert_eq!(row.row.last_tick, Some(14), "byte {offset}");
            continue;
        }
        passed_over += 1;
        assert!(!database.warnings().is_empty(), "byte {offset}");
        let kept = kept_logs(&place).pop().unwrap_or(beside);
        assert_eq!(fs::read(kept).unwrap(), damaged, "byte {offset}, {access:?}");
    }
    assert!(passed_over >= 8, "only {passed_over} logs were damaged");
}

#[test]
fn a_log_without_its_file_is_kept_and_named() {
    let place = Place::new();
    drop(hold(&place));
    fs::rename(&place.path, place.folder.path().join("elsewhere.duckdb")).unwrap();
    let log = fs::read(place.folder.path().join("test.duckdb.wal")).unwrap();
    let database = place.open();
    assert_eq!(database.warnings().len(), 1);
    assert_eq!(fs::read(&kept_logs(&place)[0]).unwrap(), log);
    store(&database, start("afterwards")).wait().unwrap();
}

#[test]
fn a_damaged_log_is_set_aside_and_named() {
    let place = Place::new();
    drop(hold(&place));
    let log = place.folder.path().join("test.duckdb.wal");
    let mut bytes = fs::read(&log).unwrap();
    let middle = bytes.len() / 2;
    for byte in &mut bytes[middle..middle + 64] {
        *byte ^= 0x5a;
    }
    fs::write(&log, &bytes).unwrap();
    let database = place.open();
    let [warning] = database.warnings() else { panic!("{:?}", database.warnings()) };
    let kept = kept_logs(&place).pop().unwrap();
    assert!(warning.contains(kept.file_name().unwrap().to_str().unwrap()), "{warning}");
    assert_eq!(fs::read(kept).unwrap(), bytes);
    store(&database, start("afterwards")).wait().unwrap();
}
