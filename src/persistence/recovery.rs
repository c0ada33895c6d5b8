//! What is made good after a process died (spec 06, 2.2).

use std::thread::JoinHandle;

use duckdb::{Connection, params};

use super::query::Reader;
use super::writer::{Buffers, Command, Repaired, push_open};
use super::{Database, PersistenceError, Status};
use crate::metrics::Ledger;
use crate::money::grouped;
use crate::time::Tick;

/// Batches of a simulation that lie further apart have a pause between them: until it was resumed.
const PAUSE_US: i64 = 10_000_000;

/// Simulations and runs that are still `running` have no owner: this process is the only
/// one that writes, and it has just opened the file. Gives what is lost, if anything is.
pub(super) fn mark_interrupted(connection: &Connection) -> duckdb::Result<Option<String>> {
    connection.execute_batch("BEGIN")?;
    let dead = interrupt_simulations(connection, None)?;
    interrupt_runs(connection, None)?;
    connection.execute_batch("COMMIT")?;
    Ok(lost(&dead))
}

/// Marks simulations that are `running`, all of them or only this one. Gives their ids with the ticks that
/// are stored and that were to be run.
pub(super) fn interrupt_simulations(
    connection: &Connection,
    only: Option<&str>,
) -> duckdb::Result<Vec<(String, i64, i64)>> {
    let mut statement = connection.prepare(
        "SELECT simulation_id, coalesce(last_tick + 1, 0), num_ticks FROM simulations \
         WHERE status = 'running' AND coalesce(simulation_id = ?, TRUE)",
    )?;
    let dead: Vec<(String, i64, i64)> = statement
        .query_map([only], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<duckdb::Result<_>>()?;
    for (id, stored, ticks) in &dead {
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
        estimate_duration(connection, id)?;
    }
    Ok(dead)
}

/// Sets the durations of a simulation whose process cannot tell them: the time from batch to batch, as far as
/// it ran in between.
pub(super) fn estimate_duration(connection: &Connection, id: &str) -> duckdb::Result<()> {
    connection.execute(
        "UPDATE simulations SET duration_seconds = seconds, \
         ticks_per_second = CASE WHEN seconds > 0 THEN coalesce(last_tick + 1, 0) / seconds ELSE 0 END FROM (\
         SELECT coalesce(sum(epoch(gap)), 0) AS seconds FROM (\
         SELECT moment - lag(moment) OVER (ORDER BY moment) AS gap FROM (\
         SELECT created_at AS moment FROM simulation_events WHERE simulation_id = $1 \
         UNION SELECT started_at FROM simulations WHERE simulation_id = $1)) \
         WHERE gap <= to_microseconds($2)) WHERE simulation_id = $1",
        params![id, PAUSE_US],
    )?;
    Ok(())
}

/// Marks runs that are `running`, all of them or only this one.
pub(super) fn interrupt_runs(connection: &Connection, only: Option<&str>) -> duckdb::Result<()> {
    connection.execute(
        "UPDATE experiments SET status = ?, convergence_reason = 'Interrupted', completed_at = coalesce( \
         (SELECT max(timestamp) FROM experiment_events e WHERE e.run_id = experiments.run_id), created_at) \
         WHERE status = 'running' AND coalesce(run_id = ?, TRUE)",
        params![Status::Interrupted.name(), only],
    )?;
    Ok(())
}

/// What a process that died took with it, in a sentence. A write-ahead log that was cut off between two
/// transactions is read without a word: then, too, the ticks that are stored tell how far it goes.
fn lost(dead: &[(String, i64, i64)]) -> Option<String> {
    let (id, stored, ticks) = dead.first()?;
    let count = |number: &i64| grouped(number.unsigned_abs());
    let others = match dead.len() - 1 {
        0 => String::new(),
        others => format!("; {} more were interrupted likewise", grouped(others as u64)),
    };
    let (stored, ticks) = (count(stored), count(ticks));
    Some(format!(
        "the process that wrote simulation `{id}` died: {stored} of {ticks} ticks are stored{others}"
    ))
}

/// Computes what simulations that ended without their totals lack, from their events, in
/// the background (2.2).
///
/// # Errors
///
/// The file cannot be read.
pub(super) fn complete_in_background(
    database: &Database,
) -> Result<Option<JoinHandle<()>>, PersistenceError> {
    if !database.is_writable() {
        return Ok(None);
    }
    let incomplete = database.reader()?.without_totals()?;
    if incomplete.is_empty() {
        return Ok(None);
    }
    let file = database.downgrade();
    let work = move || {
        let Some(database) = Database::upgrade(&file) else { return };
        if let Err(error) = complete(&database, &incomplete) {
            tracing::warn!(%error, "totals of interrupted simulations are incomplete");
        }
    };
    let thread = std::thread::Builder::new().name("database recovery".to_owned()).spawn(work);
    if let Err(error) = &thread {
        tracing::warn!(%error, "no thread for the totals of interrupted simulations");
    }
    Ok(thread.ok())
}

fn complete(database: &Database, simulations: &[String]) -> Result<(), PersistenceError> {
    let reader = database.reader()?;
    for id in simulations {
        match complete_one(database, &reader, id) {
            Ok(()) => {}
            Err(PersistenceError::Cancelled) => return Ok(()),
            Err(error) => tracing::warn!(%error, id, "the totals of a simulation cannot be computed"),
        }
    }
    Ok(())
}

fn complete_one(database: &Database, reader: &Reader, id: &str) -> Result<(), PersistenceError> {
    let scenario = reader.scenario(id)?;
    let mut ledger = Ledger::new(scenario.clone());
    reader.each_tick(id, &scenario.names, Tick(u64::MAX), |tick, events| {
        // Whoever opened the file has closed it: the next opening goes on.
        if database.is_abandoned() {
            return Err(PersistenceError::Cancelled);
        }
        ledger.tick(tick, events).map(|_| ()).map_err(|error| PersistenceError::Corrupt {
            what: format!("simulation `{id}`"),
            reason: error.to_string(),
        })
    })?;
    let mut buffers = Buffers::new()?;
    let totals = push_open(id, &ledger, &mut buffers);
    let repaired = Repaired { simulation_id: id.to_owned(), buffers, totals };
    database.writer()?.send(Command::Repaired(Box::new(repaired)))
}
