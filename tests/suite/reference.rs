//! Databases of SimCash, with the real program: shown everywhere, never written, imported.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::program::Program;

const RUN: &str = "reference-run.duckdb";
const EXPERIMENT: &str = "experiment-run.duckdb";

fn sample(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/databases").join(name)
}

/// A folder with copies of the samples.
fn with_samples() -> Program {
    let program = Program::new();
    for name in [RUN, EXPERIMENT] {
        program.write(name, fs::read(sample(name)).unwrap());
    }
    program
}

#[test]
fn every_mode_of_replay_shows_a_simulation_of_simcash() {
    let program = with_samples();
    let replay = |rest: &str| program.run(&format!("replay reference-full --db {RUN} {rest}"));
    let lines = replay("--event-stream");
    assert_eq!(lines.err.matches("recorded by the reference").count(), 1, "{}", lines.err);
    assert!(lines.err.contains("the events fit together"), "{}", lines.err);
    let wanted = fs::read_to_string(sample("reference-run-reference-full.events.jsonl")).unwrap();
    assert_eq!(lines.out.lines().count(), wanted.lines().count());
    for (number, (line, wanted)) in lines.out.lines().zip(wanted.lines()).enumerate() {
        let mut got: Value = serde_json::from_str(line).unwrap();
        assert_eq!(got.as_object_mut().unwrap().remove("sequence"), Some(number.into()));
        assert_eq!(got, serde_json::from_str::<Value>(wanted).unwrap());
    }
    let told = replay("--verbose");
    assert_eq!(told.status, 0, "{}", told.err);
    for part in ["840f882f-819d-4741-8dcb-e89fde80ea4f", "HARBOR", "liquidity opportunity"] {
        assert!(told.out.contains(part), "{part}");
    }
    assert_eq!(replay("--stream").out.lines().count(), 24);
    assert!(replay("--state-at 3").out.contains("SUMMIT"));
    let result: Value = serde_json::from_str(&replay("--quiet").out).unwrap();
    assert_eq!(result["metrics"]["total_arrivals"], 69);
    let one = "840f882f-819d-4741-8dcb-e89fde80ea4f";
    let filtered = replay(&format!("--event-stream --filter-tx {one}")).out;
    assert!(filtered.lines().count() > 2 && filtered.lines().all(|line| line.contains(one)), "{filtered}");
}

#[test]
fn nothing_is_written_to_a_database_of_simcash() {
    let program = with_samples();
    for name in [RUN, EXPERIMENT] {
        let before = fs::read(program.path(name)).unwrap();
        for line in [
            format!("run library:two-banks --db {name}"),
            format!("experiment run library:two-period --db {name}"),
            format!("db import {RUN} --db {name}"),
        ] {
            let said = program.run(&line);
            assert_eq!((said.status, said.out.as_str()), (1, ""), "{line}");
            assert!(said.err.contains("db import") && said.err.contains("only read"), "{line}: {}", said.err);
        }
        program.write("launch.keys", "size 160x40\nwait Library\nEnter\nwait [ Start ]\nEnter\nwait launched (`payment-sim db import\n");
        program.with_out(&["explore", "--db", name, "--keys", "launch.keys"]);
        assert_eq!(fs::read(program.path(name)).unwrap(), before);
    }
}

#[test]
fn imports_join_both_programs_in_one_file() {
    let program = with_samples();
    program.out("run library:two-banks --db mine.duckdb --simulation-id own --quiet");
    let said = program.out(&format!("db import {RUN} --db mine.duckdb"));
    assert!(said.contains("2 simulations with 933 events and 0 runs"), "{said}");
    let again = program.run(&format!("db import {RUN} --db mine.duckdb"));
    assert_eq!(again.status, 1);
    assert!(again.err.contains("hint: rename what is imported with `--prefix"), "{}", again.err);
    program.out(&format!("db import {RUN} --db mine.duckdb --prefix b-"));
    program.out(&format!("db import {EXPERIMENT} --db mine.duckdb"));
    // A database of ours goes into another one, with everything that came from elsewhere.
    program.out("db import mine.duckdb --db all.duckdb --prefix all-");
    let rows =
        program.sql("all.duckdb", "SELECT simulation_id, event_digest, engine_version FROM simulations");
    assert_eq!(rows.len(), 8);
    for row in rows.iter().filter(|row| row["simulation_id"] != "all-own") {
        assert_eq!(row["engine_version"], "reference");
        let id = row["simulation_id"].as_str().unwrap();
        let lines = program.out(&format!("replay {id} --db all.duckdb --event-stream"));
        assert_eq!(payment_sim::event::sha256_hex(&lines), row["event_digest"].as_str().unwrap(), "{id}");
    }
    // Its totals are the reference's own; everything else holds.
    program.out("db check --db all.duckdb");
    let results = program.out("experiment results --db all.duckdb");
    assert!(results.contains("all-harbour-20261123-071353-dfdc81"), "{results}");
}

#[test]
fn the_file_answers_questions_of_its_own() {
    let program = with_samples();
    let list = program.out(&format!("db list --db {RUN}"));
    assert!(list.contains("reference-full") && list.contains("completed"), "{list}");
    assert!(program.out(&format!("db info --db {EXPERIMENT}")).contains("layout of SimCash"));
    let rows = program.sql(RUN, "SELECT count(*) AS n FROM reference.tick_agent_states");
    assert_eq!(rows[0]["n"], 72);
}

/// Every screen over the samples, as text.
#[test]
fn the_explorer_shows_databases_of_simcash() {
    let program = with_samples();
    let frame = |name: &str, keys: &str| {
        program.write("look.keys", format!("size 100x30\n{keys}\nframe\n"));
        let shown = program.with_out(&["explore", "--db", name, "--keys", "look.keys", "--ascii"]);
        shown.replace(&*program.folder.path().to_string_lossy(), "FOLDER")
    };
    insta::assert_snapshot!("simulations", frame(RUN, "wait 933\ng s\nwait reference-run"));
    let replay = "wait 933\ng s\nwait reference-run\nj\nEnter\nwait tick 0 of 23";
    insta::assert_snapshot!("replay", frame(RUN, &format!("{replay}\n3 .\nwait tick 3 of 23")));
    insta::assert_snapshot!("events", frame(RUN, &format!("{replay}\nv\nwait Events (")));
    insta::assert_snapshot!("runs", frame(EXPERIMENT, "wait harbour\ng r\nwait harbour"));
    insta::assert_snapshot!(
        "iterations",
        frame(EXPERIMENT, "wait harbour\ng r\nwait harbour\nEnter\nwait LANTERN")
    );
}
