//! `db check`: what is whole checks clean, and every damage is told.

use std::path::Path;

use payment_sim::persistence::{Access, CheckDepth, CheckObserver, CheckProgress, Database, Defect};

use crate::databases::{damage, stored};
use crate::resuming::stopped;
use crate::support::program::Program;

/// The lines of a check.
fn told(database: &Path, depth: CheckDepth) -> Vec<String> {
    struct Told(Vec<String>);
    impl CheckObserver for Told {
        fn found(&mut self, defect: Defect) {
            self.0.push(defect.to_string());
        }
        fn progress(&mut self, _progress: CheckProgress) {}
    }
    let mut told = Told(Vec::new());
    let database = Database::open(database, Access::Read).expect("it opens");
    database.reader().expect("a reader").check(depth, &mut told).expect("it can be checked");
    told.0
}

/// Every damage alone, in a copy of the file.
fn each_is_told(program: &Program, damages: &[Damage]) {
    let whole = std::fs::read(program.path("x.duckdb")).expect("the file");
    let copy = program.path("y.duckdb");
    for (statements, words) in damages {
        program.write("y.duckdb", &whole);
        damage(&copy, statements);
        let only_full = words.starts_with('!');
        let words: Vec<&str> = words.trim_start_matches('!').split('|').collect();
        let depths = [CheckDepth::Full, CheckDepth::Quick];
        for depth in depths.into_iter().take(if only_full { 2 } else { 1 }) {
            let lines = told(&copy, depth);
            let is_told = lines.iter().any(|line| words.iter().any(|words| line.contains(words)));
            let wanted = !only_full || depth == CheckDepth::Full;
            assert_eq!(is_told, wanted, "{statements} {depth:?}: `{words:?}` in\n{}", lines.join("\n"));
            assert_eq!(lines.is_empty(), !wanted, "{statements} {depth:?}: {}", lines.join("\n"));
        }
    }
}

#[test]
fn what_is_stored_checks_clean() {
    let program = stored();
    let checked = program.run("db check --db x.duckdb");
    assert_eq!((checked.status, checked.out.as_str()), (0, ""), "{}", checked.err);
    assert!(checked.err.contains("nothing wrong"), "{}", checked.err);
    assert_eq!(program.run("db check --quick --db x.duckdb").status, 0);
    program.write("no.duckdb", "no database");
    assert_eq!(program.run("db check --db no.duckdb").status, 1);
    assert_eq!(program.run("db check --db nowhere.duckdb").status, 1);
}

/// What is done to a database, and words of the line that tells it, several with `|` between them. Only a full
/// check tells those with `!`.
type Damage = (&'static str, &'static str);

const DAMAGES: &[Damage] = &[
    ("UPDATE simulations SET event_digest = repeat('0', 64) WHERE simulation_id = 'ring'", "!event_digest"),
    ("UPDATE simulations SET config_hash = 'x' WHERE simulation_id = 'ring'", "!config_hash"),
    ("UPDATE policy_snapshots SET policy_hash = 'x' WHERE simulation_id = 'ring'", "!policy_hash"),
    (
        "UPDATE simulation_events SET details = replace(details, '1', '2') WHERE simulation_id = 'ring' AND event_type = 'Arrival'",
        "event_digest|simulation_events|transactions",
    ),
    (
        "DELETE FROM simulation_events WHERE simulation_id = 'ring' AND sequence = 7",
        "1 event missing; first at event 8",
    ),
    ("DELETE FROM simulation_events WHERE simulation_id = 'ring' AND sequence = 82", "event_count"),
    (
        "INSERT INTO simulation_events BY NAME SELECT simulation_id, sequence, tick, day, event_type, agent_id, tx_id, agents, tx_ids, details, created_at FROM simulation_events WHERE simulation_id = 'ring' AND sequence = 7",
        "stored more than once; first at event 7",
    ),
    (
        "UPDATE simulation_events SET sequence = sequence + 100000000 WHERE simulation_id = 'ring' AND sequence >= 40",
        "100,000,000 events missing; first at event 100000040",
    ),
    ("UPDATE simulation_events SET tick = 0 WHERE simulation_id = 'ring' AND sequence = 70", "earlier tick"),
    (
        "UPDATE simulation_events SET tick = 99 WHERE simulation_id = 'ring' AND sequence = 82",
        "behind `last_tick`",
    ),
    (
        "UPDATE simulation_events SET day = 5 WHERE simulation_id = 'ring' AND sequence = 7",
        "1 event with another day than that of the tick; first at event 7",
    ),
    (
        "UPDATE simulation_events SET created_at = created_at - INTERVAL 1 DAY WHERE simulation_id = 'ring' AND sequence = 7",
        "written earlier",
    ),
    (
        "UPDATE simulation_events SET event_type = 'Nonsense' WHERE simulation_id = 'ring' AND sequence = 7",
        "1 event that cannot be read; first at event 7",
    ),
    (
        "UPDATE simulation_events SET details = '{' WHERE simulation_id = 'ring' AND sequence = 7",
        "cannot be read",
    ),
    (
        "UPDATE simulation_events SET agents = ['ZORRO'] WHERE simulation_id = 'ring' AND sequence = 7",
        "other banks than `agents`",
    ),
    (
        "UPDATE simulation_events SET tx_ids = [] WHERE simulation_id = 'ring' AND event_type = 'Arrival'",
        "other payments than `tx_ids`",
    ),
    (
        "UPDATE simulations SET total_cost_cents = total_cost_cents + 1 WHERE simulation_id = 'ring'",
        "total_cost_cents",
    ),
    ("UPDATE simulations SET total_arrivals = 99 WHERE simulation_id = 'ring'", "total_arrivals"),
    ("UPDATE simulations SET settled_value = NULL WHERE simulation_id = 'ring'", "settled_value"),
    ("UPDATE simulations SET avg_delay_ticks = 77 WHERE simulation_id = 'ring'", "avg_delay_ticks"),
    ("UPDATE simulations SET peak_overdraft = 77 WHERE simulation_id = 'ring'", "peak_overdraft"),
    ("UPDATE simulations SET rng_seed = 77 WHERE simulation_id = 'ring'", "rng_seed"),
    ("UPDATE simulations SET num_agents = 77 WHERE simulation_id = 'ring'", "num_agents"),
    ("UPDATE simulations SET num_ticks = 77 WHERE simulation_id = 'ring'", "completed without all its ticks"),
    ("UPDATE simulations SET num_ticks = 2 WHERE simulation_id = 'ring'", "more ticks than it was to run"),
    ("UPDATE simulations SET status = 'asleep' WHERE simulation_id = 'ring'", "`status` that is none"),
    ("UPDATE simulations SET ended_at = NULL WHERE simulation_id = 'ring'", "`ended_at`"),
    (
        "UPDATE simulations SET config_json = '{}' WHERE simulation_id = 'ring'",
        "`config_json` cannot be read",
    ),
    (
        "UPDATE transactions SET amount = amount + 1 WHERE simulation_id = 'ring' AND tx_id = 'tx-000003'",
        "transactions, `ring`: 1 row not as the events say; first tx-000003",
    ),
    (
        "DELETE FROM transactions WHERE simulation_id = 'ring' AND tx_id = 'tx-000003'",
        "transactions, `ring`: 1 row missing; first tx-000003",
    ),
    (
        "INSERT INTO transactions SELECT * FROM transactions WHERE simulation_id = 'ring' AND tx_id = 'tx-000003'",
        "transactions, `ring`: 1 row stored more than once",
    ),
    (
        "UPDATE daily_agent_metrics SET num_sent = 77 WHERE simulation_id = 'ring' AND agent_id = 'CEDAR'",
        "daily_agent_metrics, `ring`: 1 row not as the events say; first CEDAR",
    ),
    (
        "DELETE FROM daily_agent_metrics WHERE simulation_id = 'ring' AND agent_id = 'CEDAR'",
        "daily_agent_metrics, `ring`: 1 row missing",
    ),
    (
        "INSERT INTO daily_agent_metrics SELECT * FROM daily_agent_metrics WHERE simulation_id = 'ring'",
        "daily_agent_metrics, `ring`: 5 rows stored more than once",
    ),
    (
        "DELETE FROM policy_snapshots WHERE simulation_id = 'ring' AND agent_id = 'CEDAR'",
        "4 banks with a policy at the start",
    ),
    (
        "INSERT INTO policy_snapshots SELECT * FROM policy_snapshots WHERE simulation_id = 'ring'",
        "policy_snapshots, `ring`: 5 rows stored more than once",
    ),
    (
        "DELETE FROM simulations WHERE simulation_id = 'ring'",
        "simulation_events, `ring`: 83 rows of a simulation that does not exist",
    ),
    (
        "DELETE FROM simulations WHERE simulation_id = 'ring'",
        "transactions, `ring`: 13 rows of a simulation that does not exist",
    ),
    (
        "DELETE FROM simulations WHERE simulation_id = 'ring'",
        "daily_agent_metrics, `ring`: 5 rows of a simulation",
    ),
    (
        "DELETE FROM simulations WHERE simulation_id = 'ring'",
        "policy_snapshots, `ring`: 5 rows of a simulation",
    ),
    (
        "INSERT INTO replay_snapshots VALUES ('ring', 3, 5, 2, 'ab'::BLOB)",
        "replay_snapshots, `ring`: the state after tick 3 is another",
    ),
    ("INSERT INTO replay_snapshots VALUES ('gone', 3, 5, 1, 'ab'::BLOB)", "replay_snapshots, `gone`"),
    ("DELETE FROM experiments", "experiment_iterations, `run-1`"),
    ("DELETE FROM experiments", "experiment_events, `run-1`"),
    ("DELETE FROM experiments", "policy_evaluations, `run-1`"),
    ("DELETE FROM experiments", "belongs to a run that does not exist"),
    (
        "DELETE FROM experiment_iterations WHERE iteration = 1",
        "5 iterations not numbered from 0 without gaps",
    ),
    (
        "DELETE FROM experiment_iterations WHERE iteration = 0",
        "2 evaluations of an iteration that does not exist",
    ),
    ("UPDATE experiments SET status = 'asleep'", "experiments, `run-1`: has a `status`"),
    (
        "INSERT INTO sweep_points VALUES ('run-1', 0, 0, '{}', 1, 'completed', 'gone', NULL, NULL)",
        "1 point of a simulation that does not exist",
    ),
    (
        "INSERT INTO sweep_points VALUES ('gone', 0, 0, '{}', 1, 'completed', NULL, NULL, NULL)",
        "sweep_points, `gone`",
    ),
    (
        "INSERT INTO bookmarks (created_at, label, link, simulation_id) VALUES (now()::TIMESTAMP, 'b', 'sim/gone', 'gone')",
        "bookmarks, `gone`",
    ),
    (
        "INSERT INTO notes (created_at, updated_at, target_kind, target_id, body, tags) VALUES (now()::TIMESTAMP, now()::TIMESTAMP, 'run', 'gone', 'b', [])",
        "notes, `gone`",
    ),
    ("DROP VIEW lsm_share", "lsm_share: is missing"),
    ("DROP TABLE notes", "notes: is missing"),
    ("ALTER TABLE notes DROP COLUMN tags", "column `tags` is missing"),
    ("ALTER TABLE notes ALTER body TYPE BLOB", "column `body` is BLOB"),
    (
        "UPDATE policy_snapshots SET agent_id = 'NOBODY' WHERE simulation_id = 'ring' AND agent_id = 'CEDAR'",
        "1 row of no bank of `config_json`, or at the start with another policy than there; first NOBODY",
    ),
    (
        "UPDATE policy_snapshots SET policy_json = '{}', policy_hash = sha256('{}') WHERE simulation_id = 'ring'",
        "5 rows of no bank of `config_json`",
    ),
    (
        "UPDATE policy_snapshots SET policy_json = '{' WHERE simulation_id = 'ring'",
        "of no bank of `config_json`",
    ),
    ("UPDATE policy_snapshots SET snapshot_day = 7 WHERE simulation_id = 'ring'", "5 rows with another day"),
    (
        "UPDATE policy_snapshots SET created_by = 'who' WHERE simulation_id = 'ring'",
        "policy_snapshots, `ring`: 5 rows with a `created_by` that is none: `who`",
    ),
    ("UPDATE simulations SET duration_seconds = NULL WHERE simulation_id = 'ring'", "without its durations"),
    ("UPDATE simulations SET error = 'no' WHERE simulation_id = 'ring'", "or with an `error`"),
    ("UPDATE simulations SET experiment_purpose = 'eval' WHERE simulation_id = 'ring'", "has a run without"),
    ("UPDATE simulations SET experiment_sample = 3 WHERE simulation_id = 'ring'", "has a run without"),
    (
        "UPDATE simulations SET experiment_purpose = NULL WHERE experiment_run_id = 'run-1'",
        "has a run without",
    ),
    (
        "UPDATE simulations SET experiment_run_id = NULL WHERE experiment_run_id = 'run-1'",
        "has a run without",
    ),
    (
        "UPDATE simulations SET experiment_iteration = 6 WHERE simulation_id = 'run-1-sim-001-eval'",
        "simulations, `run-1-sim-001-eval`: is of an iteration that its run does not have",
    ),
    (
        "UPDATE simulations SET experiment_agent = 'NOBODY' WHERE experiment_run_id = 'run-1'",
        "a bank that its run",
    ),
    ("UPDATE experiments SET completed_at = NULL", "`run-1`: has ended without `completed_at`"),
    ("UPDATE experiments SET status = 'running'", "or runs with it"),
    ("UPDATE experiments SET config = '{}'", "has a `config` that is not its experiment"),
    ("UPDATE experiments SET converged = NOT converged", "another result than its last live event tells"),
    ("UPDATE experiments SET num_iterations = 99", "`num_iterations` that does not fit its iterations"),
    ("UPDATE experiments SET scenario_json = '{}'", "experiments, `run-1`: `scenario_json` cannot be read"),
    ("UPDATE experiments SET experiment_type = 'new'", "has a `experiment_type` that is none: `new`"),
    ("DELETE FROM experiment_iterations WHERE iteration = 5", "`num_iterations` that does not fit"),
    (
        "UPDATE experiment_iterations SET total_cost = total_cost + 1 WHERE iteration = 3",
        "1 iteration with a `total_cost` that is not the sum of `costs_per_agent`; first iteration 3",
    ),
    ("UPDATE experiment_iterations SET costs_per_agent = '{}'", "6 iterations with costs, policies"),
    ("UPDATE experiment_iterations SET policies = '{}'", "6 iterations with costs, policies"),
    ("UPDATE experiment_iterations SET accepted_changes = '{}'", "6 iterations with costs, policies"),
    (
        "UPDATE experiment_iterations SET accepted_changes = replace(accepted_changes, 'true', 'false')",
        "1 iteration with `accepted_changes` that are not those of its live events; first iteration 0",
    ),
    (
        "UPDATE experiment_iterations SET total_cost = total_cost + 1, costs_per_agent = replace(costs_per_agent, '5000', '5001')",
        "6 iterations with other costs than its live event tells",
    ),
    ("DELETE FROM experiment_events", "experiment_events, `run-1`: 21 live events missing; first `"),
    (
        "DELETE FROM experiment_events WHERE event_type = 'iteration_start' AND iteration = 2",
        "1 live event missing; first `iteration_start` of iteration 2",
    ),
    (
        "UPDATE experiment_events SET iteration = 77 WHERE event_type = 'llm_stats'",
        "of an iteration that its run does not have; first iteration 77",
    ),
    (
        "DELETE FROM policy_evaluations",
        "2 evaluations missing that a live event tells; first iteration 0, bank BANK_A",
    ),
    (
        "UPDATE policy_evaluations SET agent_id = 'NOBODY' WHERE agent_id = 'BANK_A'",
        "1 evaluation with another outcome than its live event tells; first iteration 0, bank NOBODY",
    ),
    ("UPDATE policy_evaluations SET new_cost = new_cost + 1", "2 evaluations with another outcome"),
    ("UPDATE policy_evaluations SET new_cost = new_cost + 1", "2 evaluations whose costs, `delta_sum` or"),
    ("UPDATE policy_evaluations SET num_samples = 2", "2 evaluations whose costs, `delta_sum` or"),
    ("UPDATE policy_evaluations SET accepted = NOT accepted", "2 evaluations with another outcome"),
    (
        "UPDATE policy_evaluations SET context_simulation_cost = 1",
        "2 evaluations whose `context_simulation_cost`",
    ),
    (
        "UPDATE policy_evaluations SET evaluation_mode = 'zz'",
        "2 evaluations with an `evaluation_mode` that is none; first zz",
    ),
    (
        "INSERT INTO notes (created_at, updated_at, target_kind, target_id, body, tags) VALUES (now()::TIMESTAMP, now()::TIMESTAMP, 'event', 'ring:83', 'b', [])",
        "notes, `ring:83`: 1 note about an event that its simulation does not have",
    ),
    (
        "INSERT INTO bookmarks (created_at, label, link, simulation_id, sequence) VALUES (now()::TIMESTAMP, 'b', 'sim/ring', 'ring', 83)",
        "bookmarks, `ring`: 1 bookmark on an event or a tick that its simulation does not have",
    ),
    (
        "INSERT INTO bookmarks (created_at, label, link, simulation_id, tick) VALUES (now()::TIMESTAMP, 'b', 'sim/ring', 'ring', 99)",
        "1 bookmark on an event or a tick",
    ),
    (
        "CREATE OR REPLACE VIEW lsm_share AS SELECT simulation_id, day, num_settled, 0::BIGINT AS settled_value, 0::BIGINT AS num_lsm, 0::BIGINT AS lsm_value, 0::DOUBLE AS lsm_share FROM settlement_rate_by_day",
        "lsm_share: shows something else than it should",
    ),
];

#[test]
fn every_damage_is_told() {
    each_is_told(&stored(), DAMAGES);
}

/// To a run on samples and to a sweep.
const OF_EXPERIMENTS: &[Damage] = &[
    (
        "UPDATE policy_evaluations SET delta_sum = delta_sum + 1 WHERE iteration = 2",
        "1 evaluation whose costs, `delta_sum` or `num_samples` are not those of its samples; first iteration 2",
    ),
    ("UPDATE policy_evaluations SET num_samples = num_samples + 1", "8 evaluations whose costs"),
    ("UPDATE policy_evaluations SET sample_details = '[]'", "8 evaluations whose costs"),
    ("UPDATE policy_evaluations SET sample_details = '{}'", "8 evaluations whose costs"),
    (
        "DELETE FROM experiment_events WHERE event_type = 'bootstrap_evaluation' AND iteration = 1",
        "1 live event missing; first `bootstrap_evaluation` of iteration 1",
    ),
    ("DELETE FROM sweep_points WHERE point = 1 AND repetition = 1", "sweep_points, `sweep`: 3 points where"),
    ("DELETE FROM sweep_points WHERE point = 1", "sweep_points, `sweep`: 2 points where"),
    ("DELETE FROM sweep_points", "sweep_points, `sweep`: 0 points where"),
    ("UPDATE sweep_points SET status = 'zz'", "4 rows with a `status` that is none: `zz`"),
    (
        "UPDATE sweep_points SET figures = NULL WHERE point = 1 AND repetition = 0",
        "1 point whose `figures` or `completed_at` do not fit its status; first point 1, repetition 0",
    ),
    ("UPDATE sweep_points SET figures = '{\"error\":\"no\"}' WHERE point = 1", "2 points whose `figures`"),
    (
        "UPDATE sweep_points SET status = 'pending', figures = NULL, completed_at = NULL WHERE point = 0",
        "2 points still open though the sweep is completed; first point 0, repetition 0",
    ),
    (
        "UPDATE sweep_points SET rng_seed = 7 WHERE point = 0 AND repetition = 1",
        "1 repetition with more than one",
    ),
    (
        "UPDATE sweep_points SET settings = '{}' WHERE point = 0 AND repetition = 1",
        "1 point with other settings",
    ),
    (
        "UPDATE simulations SET experiment_sample = 7 WHERE simulation_id = 'sweep-sim-001-sweep'",
        "`sweep-sim-001-sweep`: is of a point, repetition or seed that its sweep does not have",
    ),
];

/// A sweep of four short runs.
const SWEEP: &str = "name: small
scenario: scenarios/two-banks.yaml
evaluation: {ticks: 12}
sweep:
  vary:
  - {scenario: cost_rates.delay_cost_per_tick_per_cent, values: [0.1, 0.2]}
  repetitions: 2
";

#[test]
fn damages_of_samples_and_sweeps_are_told() {
    let program = Program::new();
    program.out("experiment run library:careful-cuts --db x.duckdb --run-id cuts --quiet");
    program.write("sweep.yaml", SWEEP);
    program.out("library copy two-banks --to .");
    program.out("experiment run sweep.yaml --db x.duckdb --run-id sweep --quiet");
    assert_eq!(told(&program.path("x.duckdb"), CheckDepth::Full), [""; 0]);
    each_is_told(&program, OF_EXPERIMENTS);
}

/// To the checkpoints of a simulation that was stopped.
const OF_CHECKPOINTS: &[Damage] = &[
    (
        "UPDATE simulation_checkpoints SET sequence = sequence + 1",
        "whose `sequence` is not the number of events",
    ),
    ("UPDATE simulation_checkpoints SET checkpoint_day = 77", "whose name, day, banks or size"),
    ("UPDATE simulation_checkpoints SET num_agents = 77", "whose name, day, banks or size"),
    ("UPDATE simulation_checkpoints SET total_size_bytes = 1", "whose name, day, banks or size"),
    (
        "UPDATE simulation_checkpoints SET checkpoint_id = 'x' || checkpoint_id",
        "whose name, day, banks or size",
    ),
    (
        "UPDATE simulation_checkpoints SET checkpoint_type = 'zz'",
        "with a `checkpoint_type` that is none: `zz`",
    ),
    (
        "UPDATE simulation_checkpoints SET num_transactions = num_transactions + 1",
        "simulation_checkpoints, `s`: checkpoint `s@",
    ),
    (
        "UPDATE simulation_checkpoints SET state_json = '{}', state_hash = sha256('{}'), total_size_bytes = 2",
        "its state is damaged",
    ),
    (
        "UPDATE simulation_checkpoints SET checkpoint_tick = checkpoint_tick - 1, checkpoint_id = simulation_id || '@' || (checkpoint_tick - 1)",
        "its state is that after another tick",
    ),
    ("UPDATE simulation_checkpoints SET config_hash = 'x'", "behind `last_tick` or of another scenario"),
];

#[test]
fn damages_of_checkpoints_are_told() {
    let program = Program::new();
    stopped(&program);
    std::fs::rename(program.path("r.duckdb"), program.path("x.duckdb")).expect("renamed");
    assert_eq!(told(&program.path("x.duckdb"), CheckDepth::Full), [""; 0]);
    each_is_told(&program, OF_CHECKPOINTS);
}

#[test]
fn findings_can_be_read_by_programs() {
    let program = stored();
    damage(
        &program.path("x.duckdb"),
        "UPDATE simulations SET total_arrivals = 99 WHERE simulation_id = 'ring'",
    );
    let checked = program.run("db check --json --db x.duckdb");
    let line: serde_json::Value = serde_json::from_str(checked.out.trim()).expect("one line of JSON");
    assert_eq!((line["table"].as_str(), line["id"].as_str()), (Some("simulations"), Some("ring")));
}
