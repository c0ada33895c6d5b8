//! What stops copies, rewriting and imports on their way, and who can be asked for a copy.

use std::process::{Child, Stdio};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::program::{Program, Said, said, send, wait_for};

/// Files of the folder that are still in the making.
fn parts(program: &Program) -> usize {
    let names = std::fs::read_dir(program.folder.path()).expect("the folder").flatten();
    names.filter(|entry| entry.file_name().to_string_lossy().ends_with(".part")).count()
}

fn started(program: &Program, line: &str) -> Child {
    let mut command = program.command();
    command.args(line.split_whitespace()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("it starts")
}

/// Runs a command and stops it by a signal once it makes a file.
fn stopped_while_it_writes(program: &Program, line: &str, signal: Signal) -> Said {
    let child = started(program, line);
    wait_for("a file in the making", || parts(program) > 0);
    send(child.id(), signal);
    said(child.wait_with_output().expect("an end"))
}

#[test]
fn a_signal_leaves_nothing_of_a_copy_behind() {
    let program = Program::new();
    program.out("db generate --events 300000 --simulations 1 --db x.duckdb");
    let before = std::fs::read(program.path("x.duckdb")).expect("the file");
    for (line, signal, status) in [
        ("db snapshot copy.duckdb --db x.duckdb", Signal::INT, 130),
        ("db snapshot copy.duckdb --db x.duckdb", Signal::TERM, 143),
        ("db compact --db x.duckdb", Signal::INT, 130),
    ] {
        let stopped = stopped_while_it_writes(&program, line, signal);
        assert_eq!((stopped.status, parts(&program)), (status, 0), "{line}: {}", stopped.err);
        assert!(!program.has("copy.duckdb"), "{line}");
        assert!(std::fs::read(program.path("x.duckdb")).expect("the file") == before, "{line}");
    }
}

/// A process that writes a file until it is ended.
fn writing(program: &Program) -> Child {
    let line = "run library:stressed-week --run-ticks 100000000 --db held.duckdb --quiet";
    let child = started(program, line);
    wait_for("the file in use", || {
        program.has("held.duckdb") && program.run("db list --db held.duckdb").err.contains("in use")
    });
    child
}

#[test]
fn a_process_that_is_stopped_is_not_waited_for() {
    let program = Program::new();
    let mut child = writing(&program);
    wait_for("a process that gives copies", || {
        program.run("db snapshot first.duckdb --db held.duckdb").status == 0
    });
    send(child.id(), Signal::STOP);
    let refused = program.run("db snapshot copy.duckdb --db held.duckdb");
    assert_eq!(refused.status, 1, "{}", refused.err);
    assert!(
        refused.err.contains("does not answer; is it stopped?")
            && refused.err.contains(&child.id().to_string()),
        "{}",
        refused.err
    );
    assert!(!refused.err.contains("db snapshot"), "{}", refused.err);
    send(child.id(), Signal::CONT);
    let missing = program.run("db snapshot no/folder/copy.duckdb --db held.duckdb");
    assert_eq!(missing.err.matches("no copy of database").count(), 1, "{}", missing.err);
    program.out("db snapshot copy.duckdb --db held.duckdb");
    send(child.id(), Signal::KILL);
    child.wait().expect("an end");
}

#[test]
fn only_a_program_like_this_one_is_said_to_give_copies() {
    let program = Program::new();
    program.out("run library:two-banks --db x.duckdb --quiet");
    let held = duckdb::Connection::open(program.path("x.duckdb")).expect("the file opens");
    for line in ["db list --db x.duckdb", "db snapshot copy.duckdb --db x.duckdb"] {
        let refused = program.run(line);
        assert_eq!(refused.status, 1, "{line}");
        assert!(refused.err.contains("hint: wait until it has ended"), "{line}: {}", refused.err);
        assert!(!refused.err.contains("db snapshot"), "{line}: {}", refused.err);
    }
    drop(held);
}

#[test]
fn an_import_names_what_is_missing_and_what_is_the_same_file() {
    let program = Program::new();
    program.out("run library:two-banks --db x.duckdb --quiet");
    let missing = program.run("db import gone.duckdb --db x.duckdb");
    assert_eq!(missing.status, 1);
    assert!(missing.err.contains("there is no database `gone.duckdb` to import"), "{}", missing.err);
    assert!(!missing.err.contains("creates one"), "{}", missing.err);
    std::fs::hard_link(program.path("x.duckdb"), program.path("y.duckdb")).expect("a second name");
    let itself = program.run("db import y.duckdb --db x.duckdb");
    assert!(itself.status == 1 && itself.err.contains("into itself"), "{}", itself.err);
}

#[test]
fn a_full_disk_leaves_an_import_at_whole_simulations_and_says_how_far_it_came() {
    let program = Program::new();
    for id in ["a", "b", "c"] {
        program.out(&format!("run library:stressed-week --db x.duckdb --quiet --simulation-id {id}"));
    }
    program.out("db init --db y.duckdb");
    let size = std::fs::metadata(program.path("x.duckdb")).expect("the file").len();
    let stopped = (2..20).map(|part| {
        program.out("db delete --yes --status completed --db y.duckdb");
        let blocks = u32::try_from(size / 512 * part / 10).expect("few blocks");
        program.on_a_full_disk(blocks, "db import x.duckdb --db y.duckdb")
    });
    let told = stopped.map(|stopped| stopped.err).find(|err| err.contains("imported before: "));
    let told = told.expect("one of them stops in between");
    assert!(told.contains(" of 3 simulations, 0 of 0 runs"), "{told}");
    assert!(told.contains("hint: delete what was imported"), "{told}");
    let checked = program.run("db check --db y.duckdb");
    assert_eq!(checked.status, 0, "{}{}", checked.out, checked.err);
}

#[test]
fn a_run_on_a_full_disk_prints_the_result_of_what_is_stored() {
    let program = Program::new();
    program.out("run library:two-banks --db x.duckdb --quiet");
    let line = "run library:stressed-week --run-ticks 2000 --db x.duckdb --simulation-id full --quiet";
    for blocks in [1100, 4000] {
        let full = program.on_a_full_disk(blocks, line);
        assert_eq!(full.status, 1, "{}", full.err);
        let result: Value = serde_json::from_str(&full.out).unwrap_or_else(|_| panic!("{}", full.out));
        assert_eq!(result["simulation"]["status"], "failed");
        assert_eq!(program.json("replay full --db x.duckdb --quiet"), result, "{blocks}");
        let checked = program.run("db check --db x.duckdb");
        assert_eq!(checked.status, 0, "{}{}", checked.out, checked.err);
        program.out("db delete full --yes --db x.duckdb");
    }
}
