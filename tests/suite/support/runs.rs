//! What a run of an experiment recorded, to be held against another run.

use super::program::Program;

/// An experiment of a few seconds, with comparisons by samples, all of which are stored.
const SEARCHING: &str = "name: searching
scenario: day.yaml
evaluation: {mode: bootstrap, ticks: 12, num_samples: 6}
convergence: {max_iterations: 4, stability_window: 9}
policy_constraints:
  allowed_parameters:
  - {name: initial_liquidity_fraction, param_type: enum, allowed_values: [0.08, 0.1, 0.15, 0.2, 0.3, 0.5]}
optimized_agents: [BANK_A, BANK_B]
proposer: search
master_seed: 7
persist_simulations: all
";

/// A folder with its file.
pub fn prepared() -> Program {
    let program = Program::new();
    program.write("day.yaml", program.out("library show twelve-period-day"));
    program.write("searching.yaml", SEARCHING);
    program
}

/// Every row of a run but ids of events and times.
pub fn rows(program: &Program, file: &str, run: &str) -> Vec<String> {
    let of_run = format!("run_id = '{run}'");
    let simulations =
        format!("simulation_id IN (SELECT simulation_id FROM simulations WHERE experiment_{of_run})");
    let times = "started_at, ended_at, completed_at, duration_seconds, ticks_per_second";
    let queries = [
        format!("SELECT * EXCLUDE (created_at, completed_at) FROM experiments WHERE {of_run}"),
        format!("SELECT * EXCLUDE (timestamp) FROM experiment_iterations WHERE {of_run} ORDER BY iteration"),
        format!("SELECT * EXCLUDE (id, timestamp) FROM experiment_events WHERE {of_run} ORDER BY id"),
        format!("SELECT * EXCLUDE (timestamp) FROM policy_evaluations WHERE {of_run} ORDER BY ALL"),
        format!("SELECT * EXCLUDE ({times}) FROM simulations WHERE {simulations} ORDER BY simulation_id"),
        format!(
            "SELECT simulation_id, count(*) AS n, count(DISTINCT sequence) AS d FROM simulation_events \
             WHERE {simulations} GROUP BY ALL ORDER BY ALL"
        ),
        format!("SELECT * FROM transactions WHERE {simulations} ORDER BY ALL"),
        format!("SELECT * FROM daily_agent_metrics WHERE {simulations} ORDER BY ALL"),
        format!("SELECT * FROM policy_snapshots WHERE {simulations} ORDER BY ALL"),
    ];
    let tell =
        |query: &String| program.sql(file, query).into_iter().map(|row| row.to_string().replace(run, "RUN"));
    queries.iter().flat_map(tell).collect()
}

/// Fails at the first row that differs.
pub fn same(wanted: &[String], got: &[String], what: &str) {
    for (wanted, got) in wanted.iter().zip(got) {
        assert_eq!(wanted, got, "{what}");
    }
    assert_eq!(wanted.len(), got.len(), "{what}");
}
