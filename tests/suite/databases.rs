//! The commands that look after a database file.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use rustix::process::Signal;

use crate::support::program::{Program, Said, said, send, wait_for, wait_for_bytes};

/// Two simulations and a run of an experiment in one file.
pub fn stored() -> Program {
    let program = Program::new();
    program.out("run library:gridlock-ring --db x.duckdb --simulation-id ring --quiet");
    program.out("run library:two-banks --db x.duckdb --simulation-id two --quiet");
    program.out("experiment run library:two-period --db x.duckdb --run-id run-1 --quiet");
    program
}

fn number(program: &Program, database: &str, query: &str) -> i64 {
    let rows = program.sql(database, &format!("SELECT ({query})::BIGINT AS n"));
    rows[0]["n"].as_i64().expect("a number")
}

/// Changes a database behind the program's back.
pub fn damage(database: &Path, statements: &str) {
    let connection = duckdb::Connection::open(database).expect("the file opens");
    connection.execute_batch(statements).unwrap_or_else(|error| panic!("{statements}: {error}"));
}

#[test]
fn what_is_deleted_goes_with_everything_that_belongs_to_it() {
    let program = stored();
    damage(&program.path("x.duckdb"),
        "INSERT INTO bookmarks (created_at, label, link, simulation_id) VALUES (now()::TIMESTAMP, 'b', 'sim/ring', 'ring');
         INSERT INTO notes (created_at, updated_at, target_kind, target_id, body, tags) VALUES (now()::TIMESTAMP, now()::TIMESTAMP, 'event', 'ring:3', 'b', []);",
    );
    let left = |table: &str| {
        number(&program, "x.duckdb", &format!("SELECT count(*) FROM {table} WHERE simulation_id = 'ring'"))
    };
    let asked = program.run("db delete ring --db x.duckdb");
    assert_eq!(asked.status, 1, "{}", asked.err);
    assert!(
        asked.out.contains("1 simulation with 83 events") && asked.err.contains("--yes"),
        "{}",
        asked.err
    );
    assert_eq!(left("simulations"), 1);
    let answer = |text: &str| {
        let mut child = program.command();
        child.args(["db", "delete", "ring", "--db", "x.duckdb"]);
        let mut child = child
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("a start");
        child.stdin.take().expect("a pipe").write_all(text.as_bytes()).expect("an answer");
        said(child.wait_with_output().expect("an end"))
    };
    assert_eq!(answer("no\n").status, 0);
    assert_eq!(left("simulations"), 1);
    assert_eq!(answer("y\n").status, 0);
    for table in [
        "simulations",
        "simulation_events",
        "transactions",
        "daily_agent_metrics",
        "policy_snapshots",
        "replay_snapshots",
        "bookmarks",
    ] {
        assert_eq!(left(table), 0, "{table}");
    }
    assert_eq!(number(&program, "x.duckdb", "SELECT count(*) FROM notes"), 0);
    assert_eq!(program.run("db check --db x.duckdb").status, 0);
    // The id is free again, and what was left is whole.
    program.out("run library:gridlock-ring --db x.duckdb --simulation-id ring --quiet");
    program.out("db delete --run run-1 --yes --db x.duckdb");
    assert_eq!(number(&program, "x.duckdb", "SELECT count(*) FROM experiments"), 0);
    assert_eq!(number(&program, "x.duckdb", "SELECT count(*) FROM simulations"), 2);
    assert_eq!(program.run("db check --db x.duckdb").status, 0);
}

#[test]
fn what_is_not_there_is_no_empty_list() {
    let program = Program::new();
    program.out("experiment run library:two-period --db x.duckdb --run-id run-1 --quiet");
    let all = program.out("db list --db x.duckdb --run run-1 --limit 0");
    assert!(all.lines().last().is_some_and(|line| line.ends_with(" simulations")), "{all}");
    assert!(program.out("db list --db x.duckdb --run run-1 --purpose new").contains("0 of 0"));
    assert_eq!(program.out("db schema --db x.duckdb"), program.out("db schema"));
    assert_eq!(program.run("db schema --db y.duckdb").status, 1);
    let unknown = program.run("db list --db x.duckdb --run run-2");
    assert!(unknown.status == 1 && unknown.err.contains("did you mean `run-1`?"), "{}", unknown.err);
}

#[test]
fn simulations_are_deleted_by_what_they_are() {
    let program = stored();
    let simulations = || number(&program, "x.duckdb", "SELECT count(*) FROM simulations");
    let all = simulations();
    for (line, status) in [
        ("db delete --db x.duckdb --yes", 2),
        ("db delete --before yesterday --db x.duckdb --yes", 2),
        ("db delete --status asleep --db x.duckdb --yes", 2),
        ("db delete rign --db x.duckdb --yes", 1),
        ("db delete --run run-2 --db x.duckdb --yes", 1),
        ("db delete ring --db nowhere.duckdb --yes", 1),
        ("db delete --status failed --db x.duckdb --yes", 0),
        ("db delete --before 2001-01-31 --db x.duckdb --yes", 0),
    ] {
        let deleted: Said = program.run(line);
        assert_eq!(deleted.status, status, "{line}: {}", deleted.err);
        assert_eq!(simulations(), all, "{line}");
    }
    assert!(!program.has("nowhere.duckdb"));
    program.out("db delete --run run-1 --status completed --yes --db x.duckdb");
    assert_eq!(simulations(), 2, "only simulations of the run");
    assert_eq!(number(&program, "x.duckdb", "SELECT count(*) FROM experiments"), 1, "the run stays");
    program.out("db delete --before 2101-01-31T10:00 --yes --db x.duckdb");
    assert_eq!(simulations(), 0);
    assert_eq!(program.run("db check --db x.duckdb").status, 0);
}

#[test]
fn compacting_keeps_everything_and_frees_space() {
    let program = Program::new();
    program.out("db generate --events 30000 --simulations 12 --seed 5 --db x.duckdb");
    program.out("db delete large --yes --db x.duckdb");
    damage(
        &program.path("x.duckdb"),
        "CREATE VIEW mine AS SELECT simulation_id FROM simulations; CREATE TABLE own AS SELECT 42 AS answer;
        INSERT INTO bookmarks (created_at, label, link) VALUES (now()::TIMESTAMP, 'b', 'home')",
    );
    let size = || std::fs::metadata(program.path("x.duckdb")).expect("the file").len();
    let (before, digests) =
        (size(), program.sql("x.duckdb", "SELECT simulation_id, event_digest FROM simulations ORDER BY 1"));
    let said = program.run("db compact --db x.duckdb");
    assert_eq!(said.status, 0, "{}", said.err);
    assert!(size() < before / 2, "{} of {before} bytes", size());
    assert_eq!(
        program.sql("x.duckdb", "SELECT simulation_id, event_digest FROM simulations ORDER BY 1"),
        digests
    );
    assert_eq!(number(&program, "x.duckdb", "SELECT answer FROM own"), 42);
    assert_eq!(number(&program, "x.duckdb", "SELECT count(*) FROM mine"), 12);
    assert_eq!(program.run("db check --db x.duckdb").status, 0);
    // Numbers go on where they were.
    damage(
        &program.path("x.duckdb"),
        "INSERT INTO bookmarks (created_at, label, link) VALUES (now()::TIMESTAMP, 'c', 'home')",
    );
    assert_eq!(number(&program, "x.duckdb", "SELECT count(DISTINCT bookmark_id) FROM bookmarks"), 2);
    assert_eq!(program.run("db compact --db nowhere.duckdb").status, 1);
    program.write("text.duckdb", "a text");
    assert_eq!(program.run("db compact --db text.duckdb").status, 1);
    assert_eq!(std::fs::read_to_string(program.path("text.duckdb")).expect("the text"), "a text");
}

#[test]
fn files_are_made_empty_and_never_over_others() {
    let program = Program::new();
    program.out("db init --db new.duckdb");
    assert_eq!(number(&program, "new.duckdb", "SELECT count(*) FROM simulations"), 0);
    assert_eq!(number(&program, "new.duckdb", "SELECT max(version) FROM schema_migrations"), 100);
    let again = program.run("db init --db new.duckdb");
    assert!(again.status == 1 && again.err.contains("exists already"), "{}", again.err);
    let generated = program.run("db generate --db new.duckdb");
    assert!(generated.status == 1 && generated.err.contains("exists already"), "{}", generated.err);
    let migrated = program.run("db migrate --db new.duckdb");
    assert!(migrated.status == 0 && migrated.err.contains("already"), "{}", migrated.err);
    assert_eq!(program.run("db migrate --db nowhere.duckdb").status, 1);
    assert!(!program.has("nowhere.duckdb"));
    assert_eq!(program.run("db init --db no/folder/x.duckdb").status, 1);
}

#[test]
fn a_generated_database_is_real_and_the_same_for_the_same_seed() {
    let program = Program::new();
    for name in ["a", "b"] {
        program.out(&format!("db generate --events 20000 --simulations 7 --seed 3 --db {name}.duckdb"));
    }
    let digests = |name: &str| {
        program.sql(name, "SELECT simulation_id, event_count, event_digest FROM simulations ORDER BY 1")
    };
    assert_eq!(digests("a.duckdb"), digests("b.duckdb"));
    assert_eq!(number(&program, "a.duckdb", "SELECT count(*) FROM simulations"), 8);
    let events =
        number(&program, "a.duckdb", "SELECT event_count FROM simulations WHERE simulation_id = 'large'");
    assert!((20_000..60_000).contains(&events), "{events}");
    let kinds = number(&program, "a.duckdb", "SELECT count(DISTINCT event_type) FROM simulation_events");
    assert!(kinds >= 10, "{kinds} types of events");
    assert_eq!(program.run("db check --db a.duckdb").status, 0);
}

#[test]
fn a_copy_is_written_also_while_a_simulation_is_being_written() {
    let program = stored();
    program.out("db snapshot copy.duckdb --db x.duckdb");
    assert_eq!(
        program.out("replay ring --db copy.duckdb --event-stream"),
        program.out("replay ring --db x.duckdb --event-stream")
    );
    let again = program.run("db snapshot copy.duckdb --db x.duckdb");
    assert!(again.status == 1 && again.err.contains("exists already"), "{}", again.err);
    assert_eq!(program.run("db snapshot no/folder/x.duckdb --db x.duckdb").status, 1);

    let mut command = program.command();
    command.args(["run", "library:stressed-week", "--run-ticks", "100000000", "--db", "x.duckdb"]);
    command.args(["--simulation-id", "held", "--quiet"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a start");
    // Whoever looked into the file now could be in its way.
    wait_for("a log", || program.has("x.duckdb.wal"));
    let locked = program.run("db info --db x.duckdb");
    assert!(
        locked.err.contains(&child.id().to_string()) && locked.err.contains("db snapshot"),
        "{}",
        locked.err
    );
    wait_for("events in a copy", || {
        let _ = std::fs::remove_file(program.path("live.duckdb"));
        let copied = program.run("db snapshot live.duckdb --db x.duckdb");
        assert_eq!(copied.status, 0, "{}", copied.err);
        number(&program, "live.duckdb", "SELECT count(*) FROM simulation_events WHERE simulation_id = 'held'")
            > 0
    });
    let refused = program.run("db snapshot live.duckdb --db x.duckdb");
    assert!(refused.status == 1 && refused.err.contains("exists already"), "{}", refused.err);
    let checked = program.run("db check --db live.duckdb");
    assert_eq!(checked.status, 0, "{}{}", checked.out, checked.err);
    send(child.id(), Signal::KILL);
    child.wait().expect("an end");
    // The socket of a dead process is in nobody's way.
    program.out("db snapshot after.duckdb --db x.duckdb");
    program.out("run library:two-banks --db x.duckdb --simulation-id after --quiet");
    assert_eq!(program.run("db check --db x.duckdb").status, 0);
    let left = std::fs::read_dir(program.folder.path()).expect("the folder");
    let parts =
        left.filter(|entry| entry.as_ref().is_ok_and(|e| e.file_name().to_string_lossy().contains(".part")));
    assert_eq!(parts.count(), 0);
}

#[test]
fn files_of_any_kind_are_validated() {
    let program = Program::new();
    program.out("library copy two-period own-day cautious-buffer --to .");
    let valid = program.out("validate experiments/two-period.yaml scenarios/own-day.yaml library:release-all library:gridlock-ring");
    assert!(valid.contains("own-day.yaml: valid") && valid.contains("Configuration valid"), "{valid}");
    program.write("bad.yaml", "simulation: {ticks_per_day: 0}\nagents: []\n");
    program.write("what.yaml", "name: x\n");
    program.write("broken.yaml", "a: [1\n");
    for (file, words) in [
        ("bad.yaml", "ticks_per_day"),
        ("what.yaml", "neither a scenario"),
        ("broken.yaml", "broken.yaml:"),
        ("gone.yaml", "does not exist"),
    ] {
        let said = program.run(&format!("validate scenarios/own-day.yaml {file} library:release-all"));
        assert_eq!(said.status, 1, "{file}");
        assert!(said.err.contains(words), "{file}: {}", said.err);
        assert!(said.out.contains("own-day.yaml: valid"), "the others are looked at: {}", said.out);
    }
}

/// What stands where a database is wanted, whether it is written to, and words of the refusal.
const REFUSED: &[(&str, &[u8], &str, &str)] = &[
    ("text", b"agents:\n  - id: A\n", "db list", "is not a database"),
    ("text", b"agents:\n  - id: A\n", "run library:two-banks", "is not a database"),
    ("empty", b"", "db list", "is not a database"),
    ("empty", b"", "run library:two-banks", "is not a database"),
    ("binary", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff", "db info", "is not a database"),
    (
        "binary",
        b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff",
        "run library:two-banks",
        "is not a database",
    ),
    ("short", b"DUCK", "db info", "is not a database"),
    ("torn", b"\x01\x02\x03\x04\x05\x06\x07\x08DUCK\x40\0\0\0\0\0\0\0torn", "db info", "cannot be opened"),
    (
        "torn",
        b"\x01\x02\x03\x04\x05\x06\x07\x08DUCK\x40\0\0\0\0\0\0\0torn",
        "run library:two-banks",
        "cannot be opened",
    ),
];

#[test]
fn what_cannot_be_opened_is_told_apart_and_left_alone() {
    let program = Program::new();
    for (what, content, command, words) in REFUSED {
        program.write("x.duckdb", content);
        let refused = program.run(&format!("{command} --db x.duckdb"));
        assert_eq!((refused.status, refused.out.as_str()), (1, ""), "{what}, {command}: {}", refused.err);
        assert!(refused.err.starts_with("error: ") && refused.err.contains(words), "{what}: {}", refused.err);
        assert!(refused.err.contains("hint: "), "{what}: {}", refused.err);
        assert_eq!(std::fs::read(program.path("x.duckdb")).expect("the file"), *content, "{what}");
    }
    for (line, words) in [
        ("db list --db gone.duckdb", "does not exist"),
        ("replay x --db gone.duckdb", "does not exist"),
        ("export events --db gone.duckdb", "does not exist"),
        ("run library:two-banks --db no/folder/x.duckdb", "folder"),
        ("db list --db .", "is not a database"),
    ] {
        let refused = program.run(line);
        assert!(refused.status == 1 && refused.err.contains(words), "{line}: {}", refused.err);
        assert!(!program.has("gone.duckdb") && !program.has("no"), "{line}");
    }
    damage(&program.path("cats.duckdb"), "CREATE TABLE cats (name VARCHAR)");
    program.out("db init --db newer.duckdb");
    damage(
        &program.path("newer.duckdb"),
        "INSERT INTO schema_migrations VALUES (170, now()::TIMESTAMP, 'later')",
    );
    for (file, words) in
        [("cats", "tables of another program"), ("newer", "layout 170, this program knows layouts up to 100")]
    {
        let before = std::fs::read(program.path(&format!("{file}.duckdb"))).expect("the file");
        for command in
            ["db list", "run library:two-banks", "db compact", "db snapshot copy.duckdb", "db check"]
        {
            let refused = program.run(&format!("{command} --db {file}.duckdb"));
            assert!(refused.status == 1 && refused.err.contains(words), "{command}: {}", refused.err);
        }
        assert_eq!(std::fs::read(program.path(&format!("{file}.duckdb"))).expect("the file"), before);
    }
    assert!(!program.has("copy.duckdb"));
    // A file without any table is taken as new.
    damage(&program.path("bare.duckdb"), "SELECT 1");
    program.out("run library:two-banks --db bare.duckdb --quiet");
}

#[test]
fn a_log_that_cannot_be_read_is_set_aside_with_a_warning() {
    let program = stored();
    let mut command = program.command();
    command.args(["run", "library:stressed-week", "--run-ticks", "100000000", "--db", "x.duckdb", "--quiet"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a start");
    let log = program.path("x.duckdb.wal");
    // More than one transaction: damaged in the first, it would be passed over.
    wait_for_bytes(&log, 20_000_000);
    child.kill().expect("a signal");
    child.wait().expect("an end");
    let mut bytes = std::fs::read(&log).expect("the log");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 64].iter_mut().for_each(|byte| *byte ^= 0x5a);
    std::fs::write(&log, &bytes).expect("the log is written");
    let listed = program.run("db list --db x.duckdb");
    assert_eq!(listed.status, 0, "{}", listed.err);
    assert!(listed.err.contains("warning: ") && listed.err.contains(".wal.damaged-"), "{}", listed.err);
    assert!(listed.err.contains("the last row that is there is of 2"), "{}", listed.err);
    assert!(listed.out.contains("ring"), "{}", listed.out);
    let kept = std::fs::read_dir(program.folder.path()).expect("the folder");
    let kept = kept.filter_map(|entry| Some(entry.ok()?.path()));
    let kept = kept.filter(|path| path.to_string_lossy().contains(".wal.damaged-")).collect::<Vec<_>>();
    assert_eq!(kept.len(), 1);
    assert_eq!(std::fs::read(&kept[0]).expect("the log"), bytes);
    assert_eq!(program.run("db list --db x.duckdb").err, "", "said once");
}
