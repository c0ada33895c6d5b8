//! Runs that survive and reproduce: killed and resumed, run once more, bundled and verified (spec 07, 18).
#![allow(clippy::print_stdout, reason = "a test that fails says how to repeat it")]

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use payment_sim::persistence::{Access, Database};
use payment_sim::rng::Rng;
use serde_json::{Value, json};

use crate::crash;
use crate::support::program::Program;
use crate::support::runs::{prepared, rows, same};

/// Starts the experiment on a file, and kills it when it has told of so many simulations.
fn killed_after(program: &Program, file: &str, simulations: usize) {
    let mut command = program.command();
    command.args(["experiment", "run", "searching.yaml", "--run-id", "run-1", "--db", file]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
    let told = BufReader::new(child.stdout.take().expect("its output")).lines();
    let told = told.map_while(Result::ok).filter(|line| is_simulation(line));
    assert_eq!(told.take(simulations).count(), simulations);
    child.kill().expect("it is killed");
    child.wait().expect("an end");
}

fn is_simulation(line: &str) -> bool {
    line.starts_with("  simulation ")
}

#[test]
fn a_killed_experiment_ends_with_the_rows_of_one_that_was_never_stopped() {
    let program = prepared();
    let told = program.out("experiment run searching.yaml --db whole.duckdb --run-id run-1");
    let simulations = told.lines().filter(|line| is_simulation(line)).count();
    let whole = rows(&program, "whole.duckdb", "run-1");
    let seed = crash::seed();
    println!("{}={seed} repeats this", crash::SEED);
    let mut rng = Rng::new(seed);
    let mut went_on = 0;
    for attempt in 0..4 {
        let file = format!("killed-{attempt}.duckdb");
        let after = rng.range(0, simulations as i128).unsigned_abs() as usize;
        killed_after(&program, &file, after);
        let said = program.run(&format!("experiment resume run-1 --db {file} --quiet"));
        // It went on, was over already, or had not begun.
        let over = ["is completed", "there is no run", "does not exist", "there is no database"];
        let known = said.status == 0 || over.iter().any(|text| said.err.contains(text));
        assert!(known, "after {after} simulations: {}", said.err);
        went_on += u32::from(said.status == 0);
        if said.status == 0 || said.err.contains("is completed") {
            same(&whole, &rows(&program, &file, "run-1"), &format!("killed after {after} of {simulations}"));
        }
    }
    assert!(went_on > 0, "no kill hit the run");
}

#[test]
fn what_cannot_go_on_is_refused_with_what_would_be_right() {
    let program = prepared();
    let missing = program.run("experiment resume run-1 --db none.duckdb");
    assert_eq!((missing.status, program.has("none.duckdb")), (1, false), "{}", missing.err);
    program.out("experiment run library:two-period --db x.duckdb --run-id two-1 --quiet");
    for (command, wanted) in [
        ("experiment resume two-1 --db x.duckdb", "run `two-1` is completed"),
        ("experiment resume two-1 --db x.duckdb", "experiment rerun two-1"),
        ("experiment resume two-2 --db x.duckdb", "did you mean `two-1`?"),
        ("experiment rerun two-2 --db x.duckdb", "did you mean `two-1`?"),
        ("experiment rerun two-1 --db x.duckdb --run-id two-1", "exists already"),
        ("experiment rerun two-1 --db x.duckdb --proposer script:no.json", "no.json"),
        ("experiment bundle two-2 --db x.duckdb", "did you mean `two-1`?"),
        ("experiment bundle verify nothing.json", "nothing.json"),
    ] {
        let said = program.run(command);
        assert_eq!(said.status, 1, "{command}: {}", said.err);
        assert!(said.err.contains("error: ") && said.err.contains(wanted), "{command}: {}", said.err);
    }
    assert_eq!(program.run("experiment bundle").status, 2);
}

/// Makes a completed run one that another version left behind.
fn disown(program: &Program, file: &str) {
    let connection = duckdb::Connection::open(program.path(file)).expect("the file opens");
    let undo = "UPDATE experiments SET status = 'cancelled', engine_version = '0.0.1';
                DELETE FROM experiment_events WHERE id > 9;
                DELETE FROM policy_evaluations WHERE iteration > 0;
                DELETE FROM experiment_iterations WHERE iteration > 0;";
    connection.execute_batch(undo).expect("rows are changed");
}

#[test]
fn another_version_goes_on_only_by_force_and_says_so() {
    let program = prepared();
    program.out("experiment run library:two-period --db x.duckdb --run-id two-1 --quiet");
    let whole = program.sql("x.duckdb", "SELECT final_cost, best_cost, num_iterations FROM experiments");
    let kinds = "SELECT event_type AS t FROM experiment_events ORDER BY id";
    assert_eq!(program.sql("x.duckdb", kinds)[8]["t"], "llm_stats", "events up to here are whole steps");
    disown(&program, "x.duckdb");
    let refused = program.run("experiment resume two-1 --db x.duckdb");
    assert_eq!(refused.status, 1);
    assert!(
        refused.err.contains("recorded by version 0.0.1") && refused.err.contains("--force"),
        "{}",
        refused.err
    );
    program.out("experiment resume two-1 --db x.duckdb --force --quiet");
    let forced = program.sql("x.duckdb", "SELECT final_cost, best_cost, num_iterations FROM experiments");
    assert_eq!(whole, forced);
    let row = &program.sql("x.duckdb", "SELECT config, engine_version FROM experiments")[0];
    let config = match &row["config"] {
        Value::String(text) => serde_json::from_str(text).expect("JSON"),
        config => config.clone(),
    };
    assert_eq!(row["engine_version"], "0.0.1");
    let own = env!("CARGO_PKG_VERSION");
    let told = program.out("experiment results two-1 --db x.duckdb");
    assert!(told.contains(&format!("continued by {own} behind event 9")), "{told}");
    assert_eq!(config["continued_by"], json!([{"engine_version": own, "after_events": 9}]));
}

#[test]
fn a_rerun_has_the_rows_of_the_recorded_run_without_its_files() {
    let program = prepared();
    let run = "experiment run searching.yaml --db x.duckdb --run-id run-1 --quiet --seed 9";
    program.out(&format!("{run} --persist-simulations primary"));
    for file in ["day.yaml", "searching.yaml"] {
        std::fs::remove_file(program.path(file)).expect("a file is removed");
    }
    program.out("experiment rerun run-1 --db x.duckdb --run-id run-2 --quiet");
    let recorded = rows(&program, "x.duckdb", "run-1");
    same(&recorded, &rows(&program, "x.duckdb", "run-2"), "rerun");
    program.out("experiment rerun run-1 --db x.duckdb --run-id run-3 --quiet --seed 10");
    assert_ne!(recorded, rows(&program, "x.duckdb", "run-3"));
    program.write("none.json", "{}");
    program.out("experiment rerun run-1 --db x.duckdb --run-id run-4 --quiet --proposer script:none.json");
    let proposers =
        program.sql("x.duckdb", "SELECT proposer AS p, master_seed AS s FROM experiments ORDER BY run_id");
    let told: Vec<_> =
        proposers.iter().map(|row| (row["p"].as_str().unwrap(), row["s"].as_str().unwrap())).collect();
    assert_eq!(told, [("search", "9"), ("search", "9"), ("search", "10"), ("script", "9")]);
}

#[test]
fn a_bundle_is_verified_anywhere_and_tells_what_was_changed() {
    let program = prepared();
    program.out("experiment run searching.yaml --db x.duckdb --run-id run-1 --quiet");
    program.out("experiment bundle run-1 --db x.duckdb");
    let text = std::fs::read_to_string(program.path("run-1.bundle.json")).expect("a bundle");
    let bundle: Value = serde_json::from_str(&text).expect("one JSON document");
    let stored = program.sql("x.duckdb", "SELECT count(*) AS n FROM simulations")[0]["n"].clone();
    let simulations = bundle["simulations"].as_array().expect("simulations").len();
    assert_eq!(json!(simulations), stored);
    let again = program.run("experiment bundle run-1 --db x.duckdb");
    assert_eq!(again.status, 1, "a file that exists is not written over");
    let elsewhere = Program::new();
    elsewhere.write("b.json", &text);
    let verified = elsewhere.out("experiment bundle verify b.json");
    assert!(verified.contains(&format!("{simulations} of {simulations} simulations agree")), "{verified}");
    assert!(verified.contains("4 of 4 iterations agree"), "{verified}");
    let digest = bundle["simulations"][3]["event_digest"].as_str().expect("a digest");
    elsewhere.write("b.json", text.replace(digest, &digest.replace(|c: char| c.is_ascii_digit(), "f")));
    let differs = elsewhere.run("experiment bundle verify b.json --json");
    assert_eq!(differs.status, 1);
    let told: Value = serde_json::from_str(&differs.out).expect("JSON");
    assert_eq!((&told["agrees"], &told["simulations"][3]["result"]), (&json!(false), &json!("differs")));
    assert_eq!(told["simulations"][2]["result"], "agrees");
    elsewhere.write("b.json", "{\"format\": \"x\"}");
    let refused = elsewhere.run("experiment bundle verify b.json");
    assert!(refused.status == 1 && refused.err.contains("this is no bundle"), "{}", refused.err);
}

const SWEEP: &str = "name: curve
scenario: day.yaml
evaluation: {ticks: 12}
sweep:
  vary:
  - {scenario: cost_rates.delay_cost_per_tick_per_cent, values: [0.1, 0.2, 0.3]}
  repetitions: 2
master_seed: 4
";

#[test]
fn sweeps_go_on_and_are_made_again_like_other_runs() {
    let program = prepared();
    program.write("curve.yaml", SWEEP);
    program.out("experiment run curve.yaml --db x.duckdb --run-id curve-1 --quiet");
    let points = |run: &str| {
        let query = format!(
            "SELECT * EXCLUDE (run_id, completed_at, simulation_id) FROM sweep_points WHERE run_id = '{run}' \
             ORDER BY ALL"
        );
        program.sql("x.duckdb", &query)
    };
    let whole = points("curve-1");
    program.out("experiment rerun curve-1 --db x.duckdb --run-id curve-2 --quiet");
    assert_eq!(whole, points("curve-2"));
    let connection = duckdb::Connection::open(program.path("x.duckdb")).expect("the file opens");
    let undo = "UPDATE experiments SET status = 'cancelled', engine_version = '0.0.1' WHERE run_id = 'curve-2';
                UPDATE sweep_points SET status = 'pending', figures = NULL WHERE run_id = 'curve-2' AND point > 0;
                UPDATE simulations SET status = 'running' WHERE experiment_run_id = 'curve-2' \
                AND experiment_iteration > 1;";
    connection.execute_batch(undo).expect("rows are changed");
    drop(connection);
    assert_eq!(program.run("experiment resume curve-2 --db x.duckdb").status, 1);
    program.out("experiment resume curve-2 --db x.duckdb --force --quiet");
    assert_eq!(whole, points("curve-2"));
    let config =
        "SELECT config->>'$.continued_by[0].engine_version' AS v FROM experiments WHERE run_id = 'curve-2'";
    assert_eq!(program.sql("x.duckdb", config)[0]["v"], env!("CARGO_PKG_VERSION"));
    program.out("experiment bundle curve-1 --db x.duckdb --output b.json");
    let verified = program.out("experiment bundle verify b.json");
    assert!(verified.contains(&format!("{0} of {0} points agree", whole.len())), "{verified}");
}

#[test]
fn the_bundle_of_a_run_that_was_stopped_holds_as_far_as_it_came() {
    let program = prepared();
    killed_after(&program, "x.duckdb", 5);
    drop(Database::open(program.path("x.duckdb"), Access::Write).expect("the file opens"));
    program.out("experiment bundle run-1 --db x.duckdb --output b.json");
    let verified = program.run("experiment bundle verify b.json");
    assert_eq!(verified.status, 0, "{}{}", verified.out, verified.err);
}
