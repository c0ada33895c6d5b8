//! What a run of an experiment has left in all tables, to be compared.

use crate::persistence::Database;

/// Every row of a run, without ids of events and times.
pub(crate) fn rows(database: &Database, run_id: &str) -> String {
    let of_run = format!("run_id = '{run_id}'");
    let of_simulations =
        format!("simulation_id IN (SELECT simulation_id FROM simulations WHERE experiment_{of_run})");
    let queries = [
        ("experiments", "created_at, completed_at", &of_run, "run_id"),
        ("experiment_iterations", "timestamp", &of_run, "iteration"),
        ("experiment_events", "id, timestamp", &of_run, "id"),
        ("policy_evaluations", "timestamp", &of_run, "iteration, agent_id"),
        (
            "simulations",
            "started_at, ended_at, completed_at, duration_seconds, ticks_per_second",
            &of_simulations,
            "simulation_id",
        ),
        ("simulation_events", "created_at, event_timestamp", &of_simulations, "simulation_id, sequence"),
        ("transactions", "", &of_simulations, "simulation_id, tx_id"),
        ("daily_agent_metrics", "", &of_simulations, "simulation_id, day, agent_id"),
        ("policy_snapshots", "", &of_simulations, "simulation_id, agent_id"),
    ];
    let reader = database.reader().unwrap();
    let mut told = String::new();
    for (table, without, rows, order) in queries {
        let columns = if without.is_empty() { "*".to_owned() } else { format!("* EXCLUDE ({without})") };
        let query = format!("SELECT {columns} FROM {table} WHERE {rows} ORDER BY {order}");
        told.push_str(&format!("{table}\n"));
        for row in reader.sql(&query).unwrap().rows {
            told.push_str(&format!("{row:?}\n"));
        }
    }
    told.replace(run_id, "RUN")
}

/// When the simulations of a run were begun.
pub(crate) fn beginnings(database: &Database, run_id: &str) -> Vec<String> {
    let query = format!(
        "SELECT simulation_id || ' ' || started_at AS t FROM simulations \
         WHERE experiment_run_id = '{run_id}' AND status = 'completed' ORDER BY 1"
    );
    let table = database.reader().unwrap().sql(&query).unwrap();
    table.rows.iter().map(|row| format!("{row:?}")).collect()
}
