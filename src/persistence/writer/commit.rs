//! The transactions of the writer.

use duckdb::{Connection, params, params_from_iter};

use super::derived::integers;
use super::simulation::{Progress, Simulation};
use super::{Repaired, State, checkpoints, experiments, identity};
use crate::metrics::Totals;
use crate::persistence::database::locked;
use crate::persistence::error::message;
use crate::persistence::open::CHECKPOINT;
use crate::persistence::recovery::estimate_duration;
use crate::persistence::{Moment, PersistenceError, Status, schema};

impl State {
    /// Commits everything that waits, and answers whoever waits for it.
    pub(super) fn commit(&mut self) {
        self.hurry = false;
        if self.since.take().is_none() && self.replies.is_empty() {
            return;
        }
        self.last = self.last.max(Moment::now());
        let written = if self.is_there() {
            self.write_batch().map_err(|error| message(&error))
        } else {
            Err("the file is no longer there".to_owned())
        };
        match written {
            Ok(()) => self.committed(),
            Err(reason) => {
                let cause = PersistenceError::Write { path: self.path.clone(), reason };
                self.rolled_back(&cause);
            }
        }
    }

    /// Whether the file still has its name: the system writes without a word to one that was removed.
    fn is_there(&self) -> bool {
        self.file.is_some() && self.file == identity(&self.path)
    }

    fn write_batch(&mut self) -> duckdb::Result<()> {
        self.connection.execute_batch("BEGIN")?;
        for (simulation, _) in self.simulations.values_mut().filter(|(simulation, _)| simulation.waits) {
            simulation.seal();
            if simulation.stored {
                update(&self.connection, simulation)?;
            } else {
                simulation.push_row(&mut self.buffers.simulations);
            }
            checkpoints::write(&self.connection, simulation, self.last)?;
        }
        for buffer in self.buffers.all() {
            buffer.append_to(&self.connection, self.last)?;
        }
        for repaired in &mut self.repaired {
            store_repaired(&self.connection, repaired, self.last)?;
        }
        for writes in &self.experiments {
            experiments::write(&self.connection, writes)?;
        }
        self.connection.execute_batch("COMMIT")
    }

    fn committed(&mut self) {
        self.simulations.retain(|_, (simulation, _)| {
            simulation.stored = true;
            simulation.waits = false;
            simulation.checkpoints.clear();
            simulation.progress.ended.is_none()
        });
        self.experiments.clear();
        self.repaired.clear();
        for reply in self.replies.drain(..) {
            let _ = reply.send(Ok(()));
        }
        if std::mem::take(&mut self.checkpoint) {
            // A checkpoint only saves time later; what is committed is safe without it.
            if let Err(error) = self.connection.execute_batch(CHECKPOINT) {
                tracing::warn!(%error, "the file could not be checkpointed");
            }
        }
    }

    /// The batch is lost: its simulations end as failed, as far as that can still be written.
    fn rolled_back(&mut self, cause: &PersistenceError) {
        // The transaction may have ended with the error.
        let _ = self.connection.execute_batch("ROLLBACK");
        for buffer in self.buffers.all() {
            buffer.clear();
        }
        self.checkpoint = false;
        let mut lost = Vec::new();
        self.simulations.retain(|_, (simulation, run)| {
            if !simulation.waits {
                return true;
            }
            let _ = run.failure.set(cause.clone());
            lost.push((simulation.start.clone(), simulation.started_at, simulation.stored));
            false
        });
        for (start, started_at, stored) in lost {
            if let Some(context) = &start.experiment {
                self.failed_runs.insert(context.run_id.clone(), cause.clone());
            }
            let mut simulation = Simulation::new(start, started_at);
            simulation.stored = stored;
            self.write_failed(&mut simulation, &cause.to_string());
        }
        for writes in self.experiments.drain(..) {
            if writes.starts() {
                locked(&self.ids).runs.remove(&writes.run_id);
            }
            self.failed_runs.insert(writes.run_id, cause.clone());
        }
        self.repaired.clear();
        for reply in self.replies.drain(..) {
            let _ = reply.send(Err(cause.clone()));
        }
    }

    /// The totals of such a simulation follow from its events at the next opening.
    fn write_failed(&mut self, simulation: &mut Simulation, error: &str) {
        let done = if simulation.stored {
            self.connection
                .execute(
                    "UPDATE simulations SET status = ?, error = ?, ended_at = make_timestamp(?) \
                     WHERE simulation_id = ?",
                    params![Status::Failed.name(), error, self.last.0, simulation.start.simulation_id],
                )
                .and_then(|_| estimate_duration(&self.connection, &simulation.start.simulation_id))
        } else {
            simulation.fail_at_start(self.last, error);
            self.write_start(simulation)
        };
        if let Err(error) = done {
            tracing::warn!(%error, id = simulation.start.simulation_id, "a failed simulation could \
            not be marked");
            if !simulation.stored {
                locked(&self.ids).simulations.remove(&simulation.start.simulation_id);
            }
        }
    }

    /// What is stored of a simulation from its start on: its row and its policies.
    fn write_start(&mut self, simulation: &Simulation) -> duckdb::Result<()> {
        simulation.push_row(&mut self.buffers.simulations);
        simulation.push_policies(&mut self.buffers.policies);
        let written = self.connection.execute_batch("BEGIN").and_then(|()| {
            self.buffers.simulations.append_to(&self.connection, self.last)?;
            self.buffers.policies.append_to(&self.connection, self.last)?;
            self.connection.execute_batch("COMMIT")
        });
        if written.is_err() {
            // The transaction may have ended with the error.
            let _ = self.connection.execute_batch("ROLLBACK");
            self.buffers.simulations.clear();
            self.buffers.policies.clear();
        }
        written
    }

    /// Takes simulations and runs back, with everything that belongs to them.
    pub(super) fn remove(
        &mut self,
        simulations: &[String],
        runs: &[String],
        traces: Traces,
    ) -> Result<(), PersistenceError> {
        let failed = |error| PersistenceError::Write { path: self.path.clone(), reason: message(&error) };
        for id in simulations {
            self.simulations.remove(id);
        }
        for id in runs {
            self.failed_runs.remove(id);
        }
        let removed = self.connection.execute_batch("BEGIN").and_then(|()| {
            delete(&self.connection, simulations, runs)?;
            if traces == Traces::Gone {
                delete_traces(&self.connection, simulations, runs)?;
            }
            self.connection.execute_batch("COMMIT")
        });
        removed.map_err(|error| {
            let _ = self.connection.execute_batch("ROLLBACK");
            failed(error)
        })
    }
}

/// What becomes of bookmarks, notes and points of sweeps that lead to a simulation that goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Traces {
    /// They stay: a simulation of the same id comes again.
    Kept,
    /// They go too.
    Gone,
}

/// Ids in one statement.
const AT_ONCE: usize = 500;

/// Runs a statement for ids that stand where it says `{ids}`, many at once.
fn for_ids(connection: &Connection, statement: &str, ids: &[String]) -> duckdb::Result<()> {
    for ids in ids.chunks(AT_ONCE) {
        let marks = vec!["?"; ids.len()].join(", ");
        connection.execute(&statement.replace("{ids}", &marks), params_from_iter(ids))?;
    }
    Ok(())
}

fn delete(connection: &Connection, simulations: &[String], runs: &[String]) -> duckdb::Result<()> {
    for table in schema::SIMULATION_TABLES.iter().chain(&["simulations"]) {
        for_ids(connection, &format!("DELETE FROM {table} WHERE simulation_id IN ({{ids}})"), simulations)?;
    }
    for table in schema::RUN_TABLES {
        for_ids(connection, &format!("DELETE FROM {table} WHERE run_id IN ({{ids}})"), runs)?;
    }
    Ok(())
}

fn delete_traces(connection: &Connection, simulations: &[String], runs: &[String]) -> duckdb::Result<()> {
    for statement in [
        "UPDATE sweep_points SET simulation_id = NULL WHERE simulation_id IN ({ids})",
        "DELETE FROM bookmarks WHERE simulation_id IN ({ids})",
        "DELETE FROM notes WHERE target_kind = 'simulation' AND target_id IN ({ids})",
        "DELETE FROM notes WHERE target_kind = 'event' \
         AND regexp_replace(target_id, ':[0-9]+$', '') IN ({ids})",
    ] {
        for_ids(connection, statement, simulations)?;
    }
    for statement in [
        "DELETE FROM bookmarks WHERE experiment_run_id IN ({ids})",
        "DELETE FROM notes WHERE target_kind = 'run' AND target_id IN ({ids})",
        "DELETE FROM notes WHERE target_kind = 'iteration' \
         AND regexp_replace(target_id, '/[0-9]+$', '') IN ({ids})",
    ] {
        for_ids(connection, statement, runs)?;
    }
    Ok(())
}

fn update(connection: &Connection, simulation: &Simulation) -> duckdb::Result<()> {
    let Progress { status, last_tick, event_count, event_digest, ended } = &simulation.progress;
    let id = &simulation.start.simulation_id;
    let Some(ended) = ended else {
        connection
            .prepare_cached(
                "UPDATE simulations SET last_tick = ?, event_count = ?, event_digest = ? WHERE \
                 simulation_id = ?",
            )?
            .execute(params![last_tick, event_count, event_digest, id])?;
        return Ok(());
    };
    connection
        .prepare_cached(
            "UPDATE simulations SET last_tick = ?, event_count = ?, event_digest = ?, status = ?, \
             ended_at = make_timestamp(?), duration_seconds = ?, ticks_per_second = ?, error = ? \
             WHERE simulation_id = ?",
        )?
        .execute(params![
            last_tick,
            event_count,
            event_digest,
            status.name(),
            ended.at.0,
            ended.duration_seconds,
            simulation.progress.ticks_per_second(),
            ended.error,
            id
        ])?;
    ended.totals.as_ref().map_or(Ok(()), |totals| set_totals(connection, id, totals))
}

fn set_totals(connection: &Connection, id: &str, totals: &Totals) -> duckdb::Result<()> {
    let [arrivals, settlements, releases, cost, arrived, settled, queued, dropped] = integers(Some(totals));
    connection
        .prepare_cached(
            "UPDATE simulations SET total_arrivals = ?, total_settlements = ?, total_lsm_releases = ?, \
             total_cost_cents = ?, arrived_value = ?, settled_value = ?, queued_value = ?, \
             dropped_value = ?, \
             avg_delay_ticks = ?, max_delay_ticks = ?, peak_overdraft = ? WHERE simulation_id = ?",
        )?
        .execute(params![
            arrivals,
            settlements,
            releases,
            cost,
            arrived,
            settled,
            queued,
            dropped,
            totals.avg_delay_ticks,
            totals.max_delay_ticks,
            totals.peak_overdraft.0,
            id
        ])?;
    Ok(())
}

/// Unless it was resumed since it was read.
fn store_repaired(connection: &Connection, repaired: &mut Repaired, now: Moment) -> duckdb::Result<()> {
    let is_as_read: bool = connection.query_row(
        "SELECT count(*) = 1 FROM simulations WHERE simulation_id = ? AND status <> 'running' \
         AND total_cost_cents IS NULL AND event_count = ?",
        params![repaired.simulation_id, repaired.totals.event_count],
        |row| row.get(0),
    )?;
    if !is_as_read {
        return Ok(());
    }
    repaired.buffers.transactions.append_to(connection, now)?;
    repaired.buffers.daily.append_to(connection, now)?;
    set_totals(connection, &repaired.simulation_id, &repaired.totals)
}
