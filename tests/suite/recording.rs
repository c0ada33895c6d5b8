//! Recorded simulations: the same rows whoever runs them, replays that equal the run, and what is
//! left when something goes wrong.

use std::fmt::Write as _;
use std::process::Stdio;

use rustix::process::Signal;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::support::program::{Program, Said, said, send, wait_for};

const TOTALS: &str = "rng_seed, ticks_per_day, num_days, num_agents, num_ticks, status, last_tick, event_count, \
     event_digest, config_hash, config_json, total_arrivals, total_settlements, total_lsm_releases, \
     total_cost_cents, arrived_value, settled_value, queued_value, dropped_value, avg_delay_ticks, \
     max_delay_ticks, peak_overdraft";

const EVENTS: &str = "sequence, tick, day, event_type, agent_id, tx_id, agents, tx_ids, details";

fn rows(program: &Program, database: &str, columns: &str, table: &str, id: &str) -> Vec<Value> {
    let order = if table == "simulation_events" { " ORDER BY sequence" } else { "" };
    program.sql(database, &format!("SELECT {columns} FROM {table} WHERE simulation_id = '{id}'{order}"))
}

/// Without durations, which alone may differ between a run and its replay.
fn without_durations(text: &str) -> String {
    text.lines().filter(|line| !line.to_lowercase().contains("second")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_replay_equals_its_run_byte_for_byte() {
    let program = Program::new();
    for scenario in ["two-banks", "gridlock-ring", "liquidity-squeeze"] {
        let run = |mode: &str, id: &str| {
            program
                .out(&format!("run library:{scenario} --db r.duckdb --simulation-id {scenario}-{id} {mode}"))
        };
        let replay =
            |mode: &str, id: &str| program.out(&format!("replay {scenario}-{id} --db r.duckdb {mode}"));
        for (mode, id) in [("--event-stream", "e"), ("--stream", "s")] {
            assert_eq!(run(mode, id), replay(mode, id), "{scenario} {mode}");
        }
        let (run, replayed) = (run("--verbose --output text", "v"), replay("--verbose --output text", "v"));
        assert_eq!(without_durations(&run), without_durations(&replayed), "{scenario}");
        assert!(run.len() > 1000, "{scenario}");
    }
    let lines = program.out("replay two-banks-e --db r.duckdb --event-stream");
    let digest = Sha256::digest(lines.as_bytes()).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    let stored = rows(&program, "r.duckdb", "event_digest", "simulations", "two-banks-e");
    assert_eq!(stored[0]["event_digest"], Value::from(digest));
}

#[test]
fn an_experiments_simulation_and_a_run_by_itself_leave_the_same_rows() {
    let program = Program::new();
    let run = "experiment run library:two-period --db x.duckdb --run-id exp-run-test-001 --quiet";
    program.out(run);
    let query = "SELECT simulation_id, experiment_iteration, config_json, rng_seed, num_ticks FROM simulations \
                 WHERE experiment_run_id = 'exp-run-test-001' AND experiment_iteration = 3";
    let stored = program.sql("x.duckdb", query);
    assert_eq!(stored.len(), 1, "one evaluation in iteration 3");
    let id = stored[0]["simulation_id"].as_str().expect("an id");
    assert_eq!(stored[0]["experiment_iteration"], 3);
    program.write("same.json", stored[0]["config_json"].as_str().expect("a scenario"));
    let ticks = stored[0]["num_ticks"].as_u64().expect("ticks");
    program.out(&format!("run same.json --run-ticks {ticks} --db x.duckdb --simulation-id alone --quiet"));
    for (columns, table) in [(EVENTS, "simulation_events"), (TOTALS, "simulations")] {
        let (own, alone) = (
            rows(&program, "x.duckdb", columns, table, id),
            rows(&program, "x.duckdb", columns, table, "alone"),
        );
        assert!(!own.is_empty());
        assert_eq!(own, alone, "{table}");
    }
}

#[test]
fn experiments_store_what_their_level_says() {
    let program = Program::new();
    let count = |database: &str, table: &str| {
        let rows = program.sql(database, &format!("SELECT count(*) AS n FROM {table}"));
        rows[0]["n"].as_u64().expect("a count")
    };
    let run = |level: &str| {
        let base = "experiment run library:two-period --quiet";
        program.out(&format!("{base} --db {level}.duckdb --persist-simulations {level}"));
    };
    run("none");
    assert_eq!((count("none.duckdb", "simulations"), count("none.duckdb", "simulation_events")), (0, 0));
    assert!(count("none.duckdb", "experiment_iterations") > 1);
    run("primary");
    run("all");
    assert!(count("all.duckdb", "simulations") > count("primary.duckdb", "simulations"));
    assert!(count("primary.duckdb", "simulations") >= count("primary.duckdb", "experiment_iterations"));
    let stand_ins = "SELECT count(*) AS n FROM experiment_events WHERE event_type = 'simulation_run' \
                     OR event_data LIKE '%\"event_type\"%'";
    assert_eq!(program.sql("all.duckdb", stand_ins)[0]["n"], 0);
    program.out("experiment run library:two-period --quiet");
    assert!(!program.has("data") && !program.has("results"), "without a database nothing is written");
}

/// A bank whose balance leaves 64 bits in tick 2.
const OVERFLOW: &str = "simulation: {ticks_per_day: 5, num_days: 1, rng_seed: 1}
agents:
- {id: A, opening_balance: 9223372036854775000}
- {id: B, opening_balance: 5000}
scenario_events:
- {type: CustomTransactionArrival, from_agent: B, to_agent: A, amount: 100, schedule: {type: OneTime, tick: 0}}
- {type: DirectTransfer, from_agent: B, to_agent: A, amount: 4000, schedule: {type: OneTime, tick: 2}}
";

#[test]
fn a_simulation_that_fails_keeps_its_complete_ticks() {
    let program = Program::new();
    program.write("overflow.yaml", OVERFLOW);
    let failed = program.run("run overflow.yaml --db f.duckdb --simulation-id f --quiet");
    assert_eq!(failed.status, 1);
    assert!(failed.err.contains("tick 2") && failed.err.contains("bank `A`"), "{}", failed.err);
    let result: Value = serde_json::from_str(&failed.out).expect("the result of its complete ticks");
    assert_eq!(result["simulation"]["status"], "failed");
    assert_eq!(result["simulation"]["ticks_executed"], 2);
    let row = &rows(&program, "f.duckdb", "status, last_tick, error", "simulations", "f")[0];
    assert_eq!((&row["status"], &row["last_tick"]), (&Value::from("failed"), &Value::from(1)));
    assert!(row["error"].as_str().is_some_and(|error| error.contains("64-bit")), "{row}");
    assert_eq!(program.json("replay f --db f.duckdb --quiet"), result);
}

#[test]
fn the_state_after_a_tick_has_no_other_form_than_text() {
    let program = Program::new();
    program.out("run library:two-banks --db x.duckdb --simulation-id x --quiet");
    let refused = program.run("replay x --db x.duckdb --state-at 3 --output json");
    assert_eq!((refused.status, refused.out.as_str()), (2, ""), "{}", refused.err);
}

fn endless(program: &Program) -> std::process::Child {
    let mut command = program.command();
    command.args(["run", "library:stressed-week", "--run-ticks", "100000000", "--db", "held.duckdb"]);
    command.args(["--simulation-id", "held", "--quiet"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    wait_for("the file in use", || {
        program.has("held.duckdb") && program.run("db list --db held.duckdb").err.contains("in use")
    });
    child
}

#[test]
fn another_process_is_told_who_holds_the_file_and_ctrl_c_keeps_what_is_done() {
    let program = Program::new();
    let child = endless(&program);
    let refused: Said = program.run("run library:two-banks --db held.duckdb");
    assert_eq!(refused.status, 1);
    assert!(
        refused.err.contains(&child.id().to_string()) && refused.err.contains("hint: "),
        "{}",
        refused.err
    );
    send(child.id(), Signal::INT);
    let ended = said(child.wait_with_output().expect("an end"));
    assert_eq!(ended.status, 130, "{}", ended.err);
    let row = &rows(&program, "held.duckdb", "status, last_tick, event_count", "simulations", "held")[0];
    assert_eq!(row["status"], "cancelled");
    let stored = program.sql("held.duckdb", "SELECT count(*) AS n, max(tick) AS t FROM simulation_events");
    assert_eq!(row["event_count"], stored[0]["n"]);
    assert!(row["last_tick"].as_u64() >= stored[0]["t"].as_u64());
}

#[test]
fn a_killed_run_is_interrupted_at_the_next_opening_and_keeps_its_ticks() {
    let program = Program::new();
    let mut child = endless(&program);
    wait_for("a first batch in a copy", || {
        let _ = std::fs::remove_file(program.path("live.duckdb"));
        program.out("db snapshot live.duckdb --db held.duckdb");
        !program.sql("live.duckdb", "SELECT 1 AS one FROM simulation_events LIMIT 1").is_empty()
    });
    send(child.id(), Signal::KILL);
    child.wait().expect("an end");
    // The next process that opens the file for writing marks it.
    program.out("run library:two-banks --db held.duckdb --simulation-id next --quiet");
    let row =
        &rows(&program, "held.duckdb", "status, last_tick, event_count, error", "simulations", "held")[0];
    assert_eq!(row["status"], "interrupted");
    let lines = program.out("replay held --db held.duckdb --event-stream --to-tick 100");
    assert!(lines.lines().count() > 50);
    let stored = program
        .sql("held.duckdb", "SELECT count(*) AS n FROM simulation_events WHERE simulation_id = 'held'");
    assert_eq!(row["event_count"], stored[0]["n"]);
}
