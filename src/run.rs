//! The one loop: every simulation, whoever asks for it, is stepped here and nowhere else (P4).
//!
//! Each tick's events go to the provider in that tick, then to the observer. Without a provider
//! nothing is stored, and nothing else changes.

#[cfg(test)]
mod principles;

use std::any::Any;
use std::hash::{BuildHasher as _, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::engine::{EngineError, Simulation};
use crate::event::Event;
use crate::persistence::{
    Failure, PersistenceError, PolicyAuthor, PolicySnapshot, SimulationCompletion, SimulationFailure,
    SimulationPersistenceProvider, SimulationStart, TickRecord, Ticket,
};
use crate::scenario::{Scenario, ScenarioFile};
use crate::time::Tick;

/// A request to stop, shared between whoever asks and whoever runs.
#[derive(Clone, Debug, Default)]
pub struct CancelFlag(Arc<AtomicBool>);

impl CancelFlag {
    /// Asks to stop after the current tick.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What is to be simulated.
#[derive(Clone, Debug)]
pub struct SimulationRequest {
    /// The scenario; its seed is the one that is used.
    pub scenario: Arc<Scenario>,
    /// How many ticks; fewer or more than the scenario's own length.
    pub ticks: u64,
}

/// Where a simulation is stored.
pub struct Storage<'a> {
    /// Who stores it.
    pub provider: &'a dyn SimulationPersistenceProvider,
    /// What is known at the start.
    pub start: SimulationStart,
}

/// A new name for a simulation by itself: `sim-` and 8 random hex digits.
#[must_use]
pub fn new_simulation_id() -> String {
    // The standard library's only source of randomness; a name is no result.
    format!("sim-{:08x}", RandomState::new().hash_one(0_u8) >> 32)
}

/// What is known at the start of a simulation by itself, policies as the scenario has them.
#[must_use]
pub fn start_of(
    file: &ScenarioFile,
    scenario: &Arc<Scenario>,
    simulation_id: String,
    config_file: &str,
    num_ticks: u64,
) -> SimulationStart {
    let snapshot = |bank: &crate::scenario::Agent| PolicySnapshot {
        agent: bank.id.to_string(),
        policy_json: bank.policy.to_node().to_json_text().into(),
        created_by: PolicyAuthor::Init,
    };
    let config_name = config_file.rsplit_once('.').map_or(config_file, |(stem, _)| stem);
    SimulationStart {
        simulation_id,
        scenario: scenario.clone(),
        config_json: file.to_json().into(),
        config_file: config_file.to_owned(),
        config_name: config_name.to_owned(),
        description: None,
        num_ticks,
        experiment: None,
        policies: file.agents.iter().map(snapshot).collect(),
    }
}

/// A complete tick as an observer sees it.
#[derive(Debug)]
pub struct TickReport<'a> {
    /// The tick.
    pub tick: Tick,
    /// Number of its first event in the run.
    pub first_sequence: u64,
    /// Its events in order.
    pub events: &'a [Event],
    /// The state after it.
    pub simulation: &'a Simulation,
}

/// Sees every complete tick, after it was handed over for storing.
pub trait Observer {
    /// A tick is complete.
    fn tick(&mut self, report: &TickReport<'_>);
}

/// Nobody watches.
impl Observer for () {
    fn tick(&mut self, _report: &TickReport<'_>) {}
}

impl<F: FnMut(&TickReport<'_>)> Observer for F {
    fn tick(&mut self, report: &TickReport<'_>) {
        self(report);
    }
}

/// How a simulation ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It ran all its ticks.
    Completed,
    /// Somebody asked it to stop; it ended after a whole tick.
    Cancelled,
    /// A tick failed; it is no part of the run.
    Failed(RunFailure),
}

/// Why a tick failed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RunFailure {
    /// The engine says why.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The program has a defect.
    #[error("Tick execution failed: tick {tick}, internal error: {message}")]
    Panic {
        /// The tick.
        tick: Tick,
        /// What the defect said.
        message: String,
    },
}

/// A simulation that has ended.
#[derive(Debug)]
pub struct Finished {
    /// The state after the last complete tick.
    pub simulation: Simulation,
    /// How it ended.
    pub outcome: Outcome,
    /// Complete ticks.
    pub ticks: u64,
    /// Events of the complete ticks.
    pub events: u64,
    /// Wall time of the loop.
    pub duration: Duration,
    /// Says when its end is committed, if it is stored.
    pub ticket: Option<Ticket>,
}

/// Runs a simulation to its end, whatever that is.
///
/// # Errors
///
/// A simulation that cannot be stored: refused before its first tick, or ended where storing failed.
pub fn simulate(
    request: &SimulationRequest,
    storage: Option<Storage<'_>>,
    observer: &mut dyn Observer,
    cancel: &CancelFlag,
) -> Result<Finished, PersistenceError> {
    let stored = match storage {
        Some(Storage { provider, start }) => {
            let id = start.simulation_id.clone();
            provider.persist_simulation_start(start)?;
            Some((provider, id))
        }
        None => None,
    };
    let started = Instant::now();
    let mut simulation = Simulation::new(request.scenario.clone());
    let mut events = 0;
    let outcome = loop {
        let tick = simulation.now();
        if tick.0 >= request.ticks {
            break Outcome::Completed;
        }
        if cancel.is_cancelled() {
            break Outcome::Cancelled;
        }
        if let Err(failure) = step(&mut simulation) {
            break Outcome::Failed(failure);
        }
        let record = simulation.events();
        if let Some((provider, id)) = &stored {
            let record = TickRecord { tick, first_sequence: events, events: record.into() };
            provider.persist_tick_events(id, record)?;
        }
        observer.tick(&TickReport { tick, first_sequence: events, events: record, simulation: &simulation });
        events += record.len() as u64;
    };
    let duration = started.elapsed();
    let ticket = stored.map(|(provider, id)| end(provider, &id, &outcome, duration)).transpose()?;
    let ticks = simulation.complete_ticks();
    Ok(Finished { simulation, outcome, ticks, events, duration, ticket })
}

/// A defect of the program fails the simulation, not the process that runs others beside it.
fn step(simulation: &mut Simulation) -> Result<(), RunFailure> {
    let tick = simulation.now();
    match catch_unwind(AssertUnwindSafe(|| simulation.step().map(|_| ()))) {
        Ok(stepped) => Ok(stepped?),
        Err(panic) => Err(RunFailure::Panic { tick, message: panic_message(panic.as_ref()) }),
    }
}

/// What a panic said.
#[must_use]
pub fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown cause".to_owned())
}

fn end(
    provider: &dyn SimulationPersistenceProvider,
    id: &str,
    outcome: &Outcome,
    duration: Duration,
) -> Result<Ticket, PersistenceError> {
    let duration_seconds = duration.as_secs_f64();
    let (outcome, error) = match outcome {
        Outcome::Completed => {
            return provider.persist_simulation_complete(id, SimulationCompletion { duration_seconds });
        }
        Outcome::Cancelled => (Failure::Cancelled, "stopped by the user".to_owned()),
        Outcome::Failed(failure) => (Failure::Failed, failure.to_string()),
    };
    provider.persist_simulation_failed(id, SimulationFailure { outcome, error, duration_seconds })
}
