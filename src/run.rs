//! The one loop: every simulation, whoever asks for it, is stepped here and nowhere else (P4).
//!
//! Each tick's events go to the provider in that tick, then to the observer. Without a provider
//! nothing is stored, and nothing else changes. A stored simulation that ended early goes on by
//! [`Resumption`].

mod keeping;
#[cfg(test)]
mod principles;
mod resume;

use std::hash::{BuildHasher as _, RandomState};
use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use self::keeping::{Keeping, Kept};
use crate::engine::{EngineError, Phase, Simulation};
use crate::event::Event;
use crate::persistence::{
    PersistenceError, PolicyAuthor, PolicySnapshot, SimulationPersistenceProvider, SimulationStart, Ticket,
};
use crate::scenario::{Scenario, ScenarioFile};
use crate::text::panic_message;
use crate::time::Tick;

pub use self::resume::Resumption;

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
    /// After how many ticks a checkpoint is stored each time; none otherwise (spec 06, 6).
    pub checkpoint_every: Option<NonZeroU64>,
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

    /// A phase of a tick is over.
    fn phase(&mut self, _phase: Phase) {}

    /// A tick of a resumed simulation that was stored before, read back. These come before all others.
    fn stored(&mut self, _tick: Tick, _first_sequence: u64, _events: &[Event]) {}
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
    let keeping = match storage {
        Some(Storage { provider, start, checkpoint_every }) => {
            let id = start.simulation_id.clone();
            provider.persist_simulation_start(start)?;
            Keeping::Stored(Kept { provider, id, checkpoint_every })
        }
        None => Keeping::Nothing,
    };
    let simulation = Simulation::new(request.scenario.clone());
    let course = Course { simulation, events: 0, keeping, before: Duration::ZERO };
    course.run(request.ticks, observer, cancel)
}

/// A simulation on its way, and what becomes of its ticks.
struct Course<'a> {
    simulation: Simulation,
    /// Events of its complete ticks.
    events: u64,
    keeping: Keeping<'a>,
    /// Wall time that it took before it was resumed.
    before: Duration,
}

impl Course<'_> {
    /// The loop.
    fn run(
        mut self,
        ticks: u64,
        observer: &mut dyn Observer,
        cancel: &CancelFlag,
    ) -> Result<Finished, PersistenceError> {
        let started = Instant::now();
        let outcome = loop {
            let tick = self.simulation.now();
            if tick.0 >= ticks {
                break Outcome::Completed;
            }
            if cancel.is_cancelled() {
                break Outcome::Cancelled;
            }
            if let Err(failure) = step(&mut self.simulation, observer) {
                break Outcome::Failed(failure);
            }
            let (simulation, first_sequence) = (&self.simulation, self.events);
            let events = simulation.events();
            self.events += events.len() as u64;
            if self.keeping.tick(tick, first_sequence, simulation)? {
                observer.tick(&TickReport { tick, first_sequence, events, simulation });
            }
        };
        let duration = self.before + started.elapsed();
        let ticket = self.keeping.end(&self.simulation, &outcome, duration)?;
        let Self { simulation, events, .. } = self;
        let ticks = simulation.complete_ticks();
        Ok(Finished { simulation, outcome, ticks, events, duration, ticket })
    }
}

/// A defect of the program fails the simulation, not the process that runs others beside it.
fn step(simulation: &mut Simulation, observer: &mut dyn Observer) -> Result<(), RunFailure> {
    let tick = simulation.now();
    let mut over = |phase| observer.phase(phase);
    match catch_unwind(AssertUnwindSafe(|| simulation.step_by_phases(&mut over).map(|_| ()))) {
        Ok(stepped) => Ok(stepped?),
        Err(panic) => Err(RunFailure::Panic { tick, message: panic_message(panic.as_ref()) }),
    }
}
