//! A stored simulation that ended early goes on in its own row (spec 06, 6).
//!
//! It is simulated again from its newest checkpoint, or from the start, up to its last stored tick,
//! without storing anything. Only if that gives the very events that are stored it goes on.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use super::keeping::{Keeping, Kept};
use super::{CancelFlag, Course, Finished, Observer, Outcome, start_of};
use crate::engine::Simulation;
use crate::event::Digest;
use crate::metrics::Ledger;
use crate::persistence::{
    PersistenceError, Reader, SimulationPersistenceProvider, SimulationResume, SimulationRow,
    StoredCheckpoint, Unfinished,
};
use crate::replay::State;
use crate::scenario::Scenario;
use crate::time::Tick;

/// A simulation that is about to be resumed.
#[derive(Debug)]
pub struct Resumption {
    unfinished: Unfinished,
    /// After the tick of the checkpoint, or before tick 0.
    simulation: Simulation,
    refused: Vec<String>,
}

impl Resumption {
    /// Looks at a stored simulation and its checkpoints.
    ///
    /// # Errors
    ///
    /// A simulation that is not there or cannot be resumed, see [`Reader::unfinished`].
    pub fn new(reader: &Reader, simulation_id: &str) -> Result<Self, PersistenceError> {
        let unfinished = reader.unfinished(simulation_id)?;
        let mut refused = Vec::new();
        let restored = unfinished.checkpoints.iter().find_map(|checkpoint| {
            restore(checkpoint, &unfinished)
                .map_err(|why| refused.push(format!("checkpoint `{}`: {why}", checkpoint.checkpoint_id)))
                .ok()
        });
        let simulation = restored.unwrap_or_else(|| Simulation::new(unfinished.scenario.clone()));
        Ok(Self { unfinished, simulation, refused })
    }

    /// Its row as stored.
    #[must_use]
    pub const fn row(&self) -> &SimulationRow {
        &self.unfinished.row
    }

    /// Its scenario.
    #[must_use]
    pub const fn scenario(&self) -> &Arc<Scenario> {
        &self.unfinished.scenario
    }

    /// The first tick that is simulated again; 0 without a checkpoint.
    #[must_use]
    pub const fn from_tick(&self) -> Tick {
        self.simulation.now()
    }

    /// Checkpoints that cannot be used, newest first, with the reason.
    #[must_use]
    pub fn refused(&self) -> &[String] {
        &self.refused
    }

    /// Shows the stored ticks to the observer, proves that the simulation goes on from them, and runs it
    /// to its end.
    ///
    /// # Errors
    ///
    /// Stored events that cannot be read or are not what is simulated, [`PersistenceError::Cancelled`] if
    /// somebody stops it before it goes on: then nothing has changed. Whatever ends [`super::simulate`].
    pub fn run(
        self,
        reader: &Reader,
        provider: &dyn SimulationPersistenceProvider,
        checkpoint_every: Option<NonZeroU64>,
        observer: &mut dyn Observer,
        cancel: &CancelFlag,
    ) -> Result<Finished, PersistenceError> {
        let Self { unfinished, simulation, refused: _ } = self;
        let Unfinished { row, config_json, file, scenario, checkpoints: _ } = unfinished;
        let past = Past::read(reader, &row, &scenario, simulation.now(), observer, cancel)?;
        let id = row.simulation_id.clone();
        let mut start = start_of(&file, &scenario, id.clone(), &row.config_file, row.num_ticks);
        start.config_json = config_json;
        start.config_name.clone_from(&row.config_name);
        start.description.clone_from(&row.description);
        let proof = Proof {
            kept: Kept { provider, id, checkpoint_every },
            resume: SimulationResume { start, ledger: past.ledger, digest: past.digest },
            digest: past.at_start,
        };
        let (events, is_due) = (past.events_at_start, proof.is_due(&simulation));
        let mut keeping = Keeping::Proving(Box::new(proof));
        if is_due {
            keeping.prove(&simulation)?;
        }
        let before = row.duration_seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let course = Course { simulation, events, keeping, before: before.unwrap_or_default() };
        course.run(row.num_ticks, observer, cancel)
    }
}

/// The simulation after the tick of a checkpoint.
fn restore(checkpoint: &StoredCheckpoint, unfinished: &Unfinished) -> Result<Simulation, String> {
    let state = checkpoint.state(&unfinished.row)?;
    let scenario = unfinished.scenario.clone();
    let simulation = Simulation::restore(scenario, state).map_err(|error| error.to_string())?;
    if simulation.now() == checkpoint.tick.after(1) {
        Ok(simulation)
    } else {
        Err("its state is that after another tick".to_owned())
    }
}

/// What the stored events say.
struct Past {
    ledger: Ledger,
    digest: Digest,
    /// The digest of those before the first tick that is simulated again, and their number.
    at_start: Digest,
    events_at_start: u64,
}

impl Past {
    fn read(
        reader: &Reader,
        row: &SimulationRow,
        scenario: &Arc<Scenario>,
        from: Tick,
        observer: &mut dyn Observer,
        cancel: &CancelFlag,
    ) -> Result<Self, PersistenceError> {
        let corrupt = |reason: String| PersistenceError::Corrupt {
            what: format!("simulation `{}`", row.simulation_id),
            reason,
        };
        let mut ledger = Ledger::new(scenario.clone());
        let (mut digest, mut sequence, mut at_start) = (Digest::default(), 0, None);
        reader.each_tick(&row.simulation_id, &scenario.names, Tick(u64::MAX), |tick, events| {
            if cancel.is_cancelled() {
                return Err(PersistenceError::Cancelled);
            }
            if tick == from {
                at_start = Some((digest.clone(), sequence));
            }
            ledger.tick(tick, events).map_err(|error| corrupt(error.to_string()))?;
            observer.stored(tick, sequence, events);
            for event in events {
                digest.event(sequence, tick, event, &scenario.names);
                sequence += 1;
            }
            Ok(())
        })?;
        if digest.hex() != row.event_digest {
            return Err(corrupt("its stored events do not have its digest".to_owned()));
        }
        let (at_start, events_at_start) = at_start.unwrap_or_else(|| (digest.clone(), sequence));
        Ok(Self { ledger, digest, at_start, events_at_start })
    }
}

/// The stored ticks, to be given again by the simulation before it may go on.
pub(super) struct Proof<'a> {
    kept: Kept<'a>,
    resume: SimulationResume,
    /// Of the stored events before the simulated ones, and of these.
    digest: Digest,
}

impl<'a> Proof<'a> {
    /// Takes the events of a tick.
    pub(super) fn tick(&mut self, tick: Tick, first_sequence: u64, simulation: &Simulation) {
        for (sequence, event) in (first_sequence..).zip(simulation.events()) {
            self.digest.event(sequence, tick, event, &simulation.scenario().names);
        }
    }

    /// Whether all stored ticks are behind.
    pub(super) fn is_due(&self, simulation: &Simulation) -> bool {
        simulation.now() == self.resume.ledger.state().tick()
    }

    /// Takes up storing, if events and state are those that are stored.
    pub(super) fn conclude(self, simulation: &Simulation) -> Result<Kept<'a>, PersistenceError> {
        if self.digest.hex() != self.resume.digest.hex() {
            return Err(self.refused("simulating its stored ticks again gives other events"));
        }
        if !agree(simulation, self.resume.ledger.state()) {
            return Err(self.refused("its checkpoint is not the state that its events give"));
        }
        self.kept.provider.persist_simulation_resume(self.resume)?;
        Ok(self.kept)
    }

    /// It ended before its last stored tick.
    pub(super) fn broken_off(&self, outcome: &Outcome) -> PersistenceError {
        match outcome {
            Outcome::Cancelled => PersistenceError::Cancelled,
            Outcome::Failed(failure) => {
                self.refused(&format!("simulating its stored ticks again fails: {failure}"))
            }
            Outcome::Completed => self.refused("it has more ticks than it was to run"),
        }
    }

    fn refused(&self, reason: &str) -> PersistenceError {
        let reason = format!("{reason}; another program version ran it, or the file is damaged");
        PersistenceError::NotResumable { id: self.kept.id.clone(), reason, run: None }
    }
}

/// Whether the engine's state is the one that the events give.
fn agree(simulation: &Simulation, state: &State) -> bool {
    let names = &simulation.scenario().names;
    let banks = names.banks().all(|bank| {
        let queued = state.queue1(bank).map(|payment| payment.id);
        let figures = simulation.bank(bank);
        state.bank(bank).is_some_and(|folded| folded.run_costs == figures.costs)
            && state.position(bank) == figures.position
            && simulation.queue1(bank).eq(queued)
    });
    banks && simulation.queue2().eq(state.queue2().map(|payment| payment.id))
}
