//! A simulation that ended early goes on in its own row (spec 06, 2.2 and 6).

use std::sync::Arc;

use duckdb::{Connection, params};

use super::derived::Derived;
use super::simulation::Simulation;
use super::{Run, State};
use crate::persistence::error::message;
use crate::persistence::provider::SimulationResume;
use crate::persistence::{Moment, PersistenceError};

impl State {
    /// Sets it running and removes what was written at its end, in one transaction of its own.
    ///
    /// # Errors
    ///
    /// The row is no longer what was read, or the file cannot be written; nothing has changed then.
    pub(super) fn resume(&mut self, resume: SimulationResume, run: Arc<Run>) -> Result<(), PersistenceError> {
        // What waits comes first, so that nothing written before can follow.
        self.commit();
        self.last = self.last.max(Moment::now());
        let id = resume.start.simulation_id.clone();
        let failed = |error: &duckdb::Error| PersistenceError::Write {
            path: self.path.clone(),
            reason: message(error),
        };
        let simulation = going_on(&self.connection, resume).map_err(|error| failed(&error))?;
        let done = self.connection.execute_batch("BEGIN").and_then(|()| {
            let found = reopen(&self.connection, &simulation)?;
            if found && !has_policies(&self.connection, &id)? {
                simulation.push_policies(&mut self.buffers.policies);
                self.buffers.policies.append_to(&self.connection, self.last)?;
            }
            self.connection.execute_batch(if found { "COMMIT" } else { "ROLLBACK" })?;
            Ok(found)
        });
        match done {
            Ok(true) => {
                self.simulations.insert(id, (simulation, run));
                Ok(())
            }
            Ok(false) => {
                let what = "it is not as it was when it was read".to_owned();
                Err(PersistenceError::OutOfOrder { id, what })
            }
            Err(error) => {
                // The transaction may have ended with the error.
                let _ = self.connection.execute_batch("ROLLBACK");
                self.buffers.policies.clear();
                Err(failed(&error))
            }
        }
    }
}

/// The writer's side of it, as it was after its last stored tick.
fn going_on(connection: &Connection, resume: SimulationResume) -> duckdb::Result<Simulation> {
    let id = &resume.start.simulation_id;
    let started_at: i64 = connection.query_row(
        "SELECT epoch_us(started_at) FROM simulations WHERE simulation_id = ?",
        [id],
        |row| row.get(0),
    )?;
    let last_snapshot = connection
        .prepare(
            "SELECT sequence, octet_length(state) FROM replay_snapshots WHERE simulation_id = ? \
             ORDER BY tick DESC LIMIT 1",
        )?
        .query_map([id], |row| Ok((row.get(0)?, row.get(1)?)))?
        .next()
        .transpose()?;
    let SimulationResume { start, ledger, digest } = resume;
    Ok(Simulation::going_on(start, Moment(started_at), digest, Derived::going_on(ledger, last_snapshot)))
}

/// Whether the row was found as it was read. Its columns of the end are empty again; the rows of
/// open payments and of the open day are gone.
fn reopen(connection: &Connection, simulation: &Simulation) -> duckdb::Result<bool> {
    let (id, progress) = (&simulation.start.simulation_id, &simulation.progress);
    let found = connection.execute(
        "UPDATE simulations SET status = 'running', ended_at = NULL, error = NULL, total_arrivals = NULL, \
         total_settlements = NULL, total_lsm_releases = NULL, total_cost_cents = NULL, arrived_value = NULL, \
         settled_value = NULL, queued_value = NULL, dropped_value = NULL, avg_delay_ticks = NULL, \
         max_delay_ticks = NULL, peak_overdraft = NULL, duration_seconds = NULL, ticks_per_second = NULL, \
         engine_version = ? WHERE simulation_id = ? AND status IN ('failed', 'cancelled', 'interrupted') \
         AND last_tick IS NOT DISTINCT FROM ? AND event_count = ? AND event_digest = ?",
        params![
            env!("CARGO_PKG_VERSION"),
            id,
            progress.last_tick,
            progress.event_count,
            progress.event_digest
        ],
    )?;
    connection.execute("DELETE FROM transactions WHERE simulation_id = ? AND place <> 'settled'", [id])?;
    let ticks_per_day = simulation.start.scenario.calendar.ticks_per_day;
    let open_day = progress.last_tick.map_or(0, |tick| (tick + 1) / ticks_per_day);
    connection.execute(
        "DELETE FROM daily_agent_metrics WHERE simulation_id = ? AND day >= ?",
        params![id, open_day],
    )?;
    Ok(found == 1)
}

/// The first batch of a simulation that failed while it was written may have been lost.
fn has_policies(connection: &Connection, id: &str) -> duckdb::Result<bool> {
    connection.query_row("SELECT count(*) > 0 FROM policy_snapshots WHERE simulation_id = ?", [id], |row| {
        row.get(0)
    })
}
