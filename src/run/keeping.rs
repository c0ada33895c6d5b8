//! What becomes of the ticks of a simulation: nothing, stored, or compared with what is stored.

use std::num::NonZeroU64;
use std::time::Duration;

use super::Outcome;
use super::resume::Proof;
use crate::engine::Simulation;
use crate::persistence::{
    Checkpoint, Failure, PersistenceError, SimulationCompletion, SimulationFailure,
    SimulationPersistenceProvider, TickRecord, Ticket,
};
use crate::time::Tick;

/// What becomes of the ticks.
pub(super) enum Keeping<'a> {
    /// Nobody keeps them.
    Nothing,
    /// They are stored.
    Stored(Kept<'a>),
    /// They are stored already, and must give the same events again.
    Proving(Box<Proof<'a>>),
}

/// Where a simulation is stored, from now on.
pub(super) struct Kept<'a> {
    pub provider: &'a dyn SimulationPersistenceProvider,
    pub id: String,
    pub checkpoint_every: Option<NonZeroU64>,
}

impl Keeping<'_> {
    /// Takes the tick that has just run. Whether it is new.
    pub(super) fn tick(
        &mut self,
        tick: Tick,
        first_sequence: u64,
        simulation: &Simulation,
    ) -> Result<bool, PersistenceError> {
        match self {
            Self::Nothing => Ok(true),
            Self::Stored(kept) => {
                let checkpoint = kept.checkpoint_after(tick, simulation)?;
                let events = simulation.events().into();
                let record = TickRecord { tick, first_sequence, events, checkpoint };
                kept.provider.persist_tick_events(&kept.id, record)?;
                Ok(true)
            }
            Self::Proving(proof) => {
                proof.tick(tick, first_sequence, simulation);
                if proof.is_due(simulation) {
                    self.prove(simulation)?;
                }
                Ok(false)
            }
        }
    }

    /// The stored ticks are behind: from now on it stores.
    pub(super) fn prove(&mut self, simulation: &Simulation) -> Result<(), PersistenceError> {
        match std::mem::replace(self, Self::Nothing) {
            Self::Proving(proof) => *self = Self::Stored(proof.conclude(simulation)?),
            other => *self = other,
        }
        Ok(())
    }

    /// Takes the end.
    pub(super) fn end(
        self,
        simulation: &Simulation,
        outcome: &Outcome,
        duration: Duration,
    ) -> Result<Option<Ticket>, PersistenceError> {
        match self {
            Self::Nothing => Ok(None),
            Self::Stored(kept) => kept.end(simulation, outcome, duration).map(Some),
            Self::Proving(proof) => Err(proof.broken_off(outcome)),
        }
    }
}

impl Kept<'_> {
    /// The checkpoint after a tick, if one is due (spec 06, 6).
    fn checkpoint_after(
        &self,
        tick: Tick,
        simulation: &Simulation,
    ) -> Result<Option<Checkpoint>, PersistenceError> {
        let due = self.checkpoint_every.is_some_and(|every| tick.after(1).0.is_multiple_of(every.get()));
        due.then(|| checkpoint(&self.id, simulation)).transpose()
    }

    fn end(
        &self,
        simulation: &Simulation,
        outcome: &Outcome,
        duration: Duration,
    ) -> Result<Ticket, PersistenceError> {
        let duration_seconds = duration.as_secs_f64();
        let (outcome, error, checkpoint) = match outcome {
            Outcome::Completed => {
                let end = SimulationCompletion { duration_seconds };
                return self.provider.persist_simulation_complete(&self.id, end);
            }
            Outcome::Cancelled => {
                let last = self.checkpoint_every.map(|_| checkpoint(&self.id, simulation)).transpose()?;
                (Failure::Cancelled, "stopped by the user".to_owned(), last)
            }
            Outcome::Failed(failure) => (Failure::Failed, failure.to_string(), None),
        };
        let failure = SimulationFailure { outcome, error, duration_seconds, checkpoint };
        self.provider.persist_simulation_failed(&self.id, failure)
    }
}

fn checkpoint(id: &str, simulation: &Simulation) -> Result<Checkpoint, PersistenceError> {
    let state_json = simulation.checkpoint().map_err(|error| PersistenceError::Corrupt {
        what: format!("simulation `{id}`"),
        reason: format!("no checkpoint can be made: {error}"),
    })?;
    Ok(Checkpoint { state_json, num_transactions: simulation.unsettled_payments() })
}
