//! Checkpoints of a simulation on the writer's side (spec 06, 2.8 and 6).

use duckdb::{Connection, params};

use super::simulation::Simulation;
use crate::event::sha256_hex;
use crate::persistence::provider::Checkpoint;
use crate::persistence::{Moment, Status};
use crate::time::Tick;

/// How many of a simulation are kept.
const KEPT: usize = 3;

/// Why a checkpoint was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::persistence) enum Reason {
    /// So many ticks have passed.
    Auto,
    /// The simulation was cancelled.
    Final,
}

impl Reason {
    /// All of them.
    pub(in crate::persistence) const ALL: &[Self] = &[Self::Auto, Self::Final];

    /// The name as stored.
    pub(in crate::persistence) const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Final => "final",
        }
    }
}

/// Checkpoints of a simulation that wait for the next commit.
#[derive(Debug, Default)]
pub(super) struct Checkpoints {
    waiting: Vec<Waiting>,
    /// Whether some may be stored.
    any: bool,
}

#[derive(Debug)]
struct Waiting {
    tick: Tick,
    sequence: u64,
    reason: Reason,
    state: Checkpoint,
}

impl Checkpoints {
    /// Of a simulation that is stored already.
    pub(super) const fn perhaps_stored() -> Self {
        Self { waiting: Vec::new(), any: true }
    }

    /// Takes one in the place of another of the same tick; more than are kept need not be written.
    pub(super) fn push(&mut self, tick: Tick, sequence: u64, reason: Reason, state: Checkpoint) {
        self.any = true;
        self.waiting.retain(|waiting| waiting.tick != tick);
        self.waiting.push(Waiting { tick, sequence, reason, state });
        if self.waiting.len() > KEPT {
            self.waiting.remove(0);
        }
    }

    /// They are committed.
    pub(super) fn clear(&mut self) {
        self.waiting.clear();
    }
}

/// Writes those that wait and removes those that are no longer kept, in the transaction of the
/// connection.
pub(super) fn write(connection: &Connection, simulation: &Simulation, now: Moment) -> duckdb::Result<()> {
    let Checkpoints { waiting, any } = &simulation.checkpoints;
    let id = &simulation.start.simulation_id;
    if simulation.progress.status == Status::Completed {
        if *any {
            connection.execute("DELETE FROM simulation_checkpoints WHERE simulation_id = ?", [id])?;
        }
        return Ok(());
    }
    for checkpoint in waiting {
        write_one(connection, simulation, checkpoint, now)?;
    }
    if !waiting.is_empty() {
        connection.execute(
            "DELETE FROM simulation_checkpoints WHERE simulation_id = ? AND checkpoint_tick NOT IN \
             (SELECT checkpoint_tick FROM simulation_checkpoints WHERE simulation_id = ? \
             ORDER BY checkpoint_tick DESC LIMIT ?)",
            params![id, id, KEPT],
        )?;
    }
    Ok(())
}

fn write_one(
    connection: &Connection,
    simulation: &Simulation,
    checkpoint: &Waiting,
    now: Moment,
) -> duckdb::Result<()> {
    let start = &simulation.start;
    let Waiting { tick, sequence, reason, state } = checkpoint;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO simulation_checkpoints \
             VALUES (?, ?, ?, ?, ?, make_timestamp(?), ?, NULL, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            format!("{}@{tick}", start.simulation_id),
            start.simulation_id,
            tick.0,
            start.scenario.calendar.day(*tick).0,
            sequence,
            now.0,
            reason.name(),
            env!("CARGO_PKG_VERSION"),
            state.state_json,
            sha256_hex(&state.state_json),
            &*start.config_json,
            sha256_hex(&start.config_json),
            start.scenario.banks.len(),
            state.num_transactions,
            state.state_json.len(),
        ])?;
    Ok(())
}
