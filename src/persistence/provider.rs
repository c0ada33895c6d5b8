//! How a simulation is stored: the trait that the run loop calls (spec 06, 3.1).

use std::sync::Arc;
use std::sync::mpsc::Receiver;

use super::database::check_id;
use super::writer::{Command, End, Run};
use super::{Database, Moment, PersistenceError, Purpose, Status};
use crate::event::{Digest, Event};
use crate::metrics::Ledger;
use crate::scenario::Scenario;
use crate::time::Tick;

/// The only way in which a simulation is stored.
///
/// The loop calls `persist_simulation_start` before the first tick, `persist_tick_events`
/// for every tick in order, also without events, and then one of the two ends.
pub trait SimulationPersistenceProvider: Send + Sync {
    /// Takes the id and stores the row of the simulation with status `running`.
    ///
    /// # Errors
    ///
    /// An id that exists or is in use, an empty id or one with control characters, a
    /// file that cannot be written. Nothing has been simulated then.
    fn persist_simulation_start(&self, start: SimulationStart) -> Result<(), PersistenceError>;

    /// Goes on with a simulation that ended early, in its own row: sets it running and removes what was
    /// written at its end (spec 06, 6). Waits until that is committed.
    ///
    /// # Errors
    ///
    /// A simulation that is running, or no longer as it was read, a file that cannot be written.
    /// Nothing has changed then.
    fn persist_simulation_resume(&self, resume: SimulationResume) -> Result<(), PersistenceError>;

    /// Stores what happened in a tick; gives the number of its events. Waits while the
    /// writer is behind.
    ///
    /// # Errors
    ///
    /// A tick out of order, or the cause why this simulation can no longer be stored.
    fn persist_tick_events(&self, simulation_id: &str, record: TickRecord)
    -> Result<usize, PersistenceError>;

    /// Stores the end of a simulation that ran all its ticks.
    ///
    /// # Errors
    ///
    /// As above. That the end is committed is known when the ticket says so.
    fn persist_simulation_complete(
        &self,
        simulation_id: &str,
        end: SimulationCompletion,
    ) -> Result<Ticket, PersistenceError>;

    /// Stores the end of a simulation that failed or was cancelled; its complete ticks stay.
    ///
    /// # Errors
    ///
    /// As above.
    fn persist_simulation_failed(
        &self,
        simulation_id: &str,
        failure: SimulationFailure,
    ) -> Result<Ticket, PersistenceError>;
}

/// What is known when a simulation starts.
#[derive(Clone, Debug)]
pub struct SimulationStart {
    /// Its name; unique in the file.
    pub simulation_id: String,
    /// The scenario as it is run; its seed is the one that is used.
    pub scenario: Arc<Scenario>,
    /// The canonical text of that scenario (2.1).
    pub config_json: Arc<str>,
    /// File name of the scenario, without folder.
    pub config_file: String,
    /// Title for lists.
    pub config_name: String,
    /// Free text of whoever started it.
    pub description: Option<String>,
    /// Ticks it is to run.
    pub num_ticks: u64,
    /// Where it belongs if an experiment runs it.
    pub experiment: Option<ExperimentContext>,
    /// The policy of every bank.
    pub policies: Vec<PolicySnapshot>,
}

/// The place of a simulation in an experiment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExperimentContext {
    /// Run of the experiment.
    pub run_id: String,
    /// Iteration of the run, from 0; in a sweep the point.
    pub iteration: u32,
    /// Why it is run; never [`Purpose::Cli`].
    pub purpose: Purpose,
    /// Bank whose policy is judged.
    pub agent: Option<String>,
    /// Number of the bootstrap sample or of the repetition, from 0.
    pub sample: Option<u32>,
}

/// The policy of a bank (2.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicySnapshot {
    /// The bank.
    pub agent: String,
    /// Its policy as in `config_json`.
    pub policy_json: Arc<str>,
    /// Where the policy comes from.
    pub created_by: PolicyAuthor,
}

/// Where a policy comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyAuthor {
    /// The scenario.
    Init,
    /// The start policy of an experiment.
    Default,
    /// A script of proposals.
    Script,
    /// The built-in search.
    Search,
    /// A language model.
    Llm,
    /// The user.
    Manual,
}

impl PolicyAuthor {
    /// All of them.
    pub const ALL: &[Self] =
        &[Self::Init, Self::Default, Self::Script, Self::Search, Self::Llm, Self::Manual];

    /// The name as stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Default => "default",
            Self::Script => "script",
            Self::Search => "search",
            Self::Llm => "llm",
            Self::Manual => "manual",
        }
    }
}

/// A simulation that goes on after its last stored tick.
#[derive(Clone, Debug)]
pub struct SimulationResume {
    /// What was known when it started.
    pub start: SimulationStart,
    /// What its stored events say.
    pub ledger: Ledger,
    /// The digest of its stored events.
    pub digest: Digest,
}

/// The complete state of a simulation after a tick (2.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The state, as the engine writes it.
    pub state_json: String,
    /// Payments that have not settled.
    pub num_transactions: u64,
}

/// What happened in one tick.
#[derive(Clone, Debug)]
pub struct TickRecord {
    /// The tick.
    pub tick: Tick,
    /// Number of its first event in the simulation; the others follow without gaps.
    pub first_sequence: u64,
    /// Its events in order.
    pub events: Arc<[Event]>,
    /// The state after it, if it is to be stored.
    pub checkpoint: Option<Checkpoint>,
}

/// How a simulation came to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SimulationCompletion {
    /// Wall time of the loop in seconds.
    pub duration_seconds: f64,
}

/// How a simulation ended before its end.
#[derive(Clone, Debug, PartialEq)]
pub struct SimulationFailure {
    /// What ended it.
    pub outcome: Failure,
    /// Why, for the user: which error in which tick, or who stopped it.
    pub error: String,
    /// Wall time of the loop in seconds.
    pub duration_seconds: f64,
    /// The state after its last complete tick, if it is to be stored.
    pub checkpoint: Option<Checkpoint>,
}

/// What ended a simulation before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// An error of the engine, of storing, or of the program.
    Failed,
    /// The user stopped it.
    Cancelled,
}

/// Knows when something that was handed over is committed.
#[derive(Debug)]
pub struct Ticket {
    done: Receiver<Result<(), PersistenceError>>,
    hurry: Box<dyn Hurry>,
}

/// Asks the writer to commit what it has.
pub(super) trait Hurry: Send + Sync + std::fmt::Debug {
    /// Asks for a commit now.
    fn hurry(&self);
}

impl Ticket {
    pub(super) fn new(done: Receiver<Result<(), PersistenceError>>, hurry: Box<dyn Hurry>) -> Self {
        Self { done, hurry }
    }

    /// Asks for a commit and waits until it is done. Nothing is asked for if it is done already: it would
    /// cut the batch of what was handed over since.
    ///
    /// # Errors
    ///
    /// Why it could not be committed.
    pub fn wait(self) -> Result<(), PersistenceError> {
        if let Ok(done) = self.done.try_recv() {
            return done;
        }
        self.hurry.hurry();
        self.done.recv().unwrap_or(Err(PersistenceError::Stopped))
    }

    /// Waits once for many; the first error is given after all are decided.
    ///
    /// # Errors
    ///
    /// The first cause why one of them could not be committed.
    pub fn wait_all(tickets: impl IntoIterator<Item = Self>) -> Result<(), PersistenceError> {
        tickets.into_iter().map(Self::wait).fold(Ok(()), Result::and)
    }
}

/// Stores simulations in a DuckDB file. Clones store in the same file.
#[derive(Clone, Debug)]
pub struct DuckDbProvider {
    database: Database,
}

impl DuckDbProvider {
    pub(super) const fn new(database: Database) -> Self {
        Self { database }
    }

    fn running(&self, simulation_id: &str) -> Result<Arc<Run>, PersistenceError> {
        let run = self.database.ids().running.get(simulation_id).cloned();
        let run = run.ok_or_else(|| PersistenceError::OutOfOrder {
            id: simulation_id.to_owned(),
            what: "it is not running".to_owned(),
        })?;
        run.failure.get().map_or(Ok(run.clone()), |failure| Err(failure.clone()))
    }

    fn end(&self, simulation_id: &str, end: End) -> Result<Ticket, PersistenceError> {
        let run = self.running(simulation_id);
        self.database.ids().running.remove(simulation_id);
        let run = run?;
        let simulation_id = Arc::from(simulation_id);
        self.database.writer()?.ask(|reply| Command::End { simulation_id, run, end, reply })
    }
}

impl SimulationPersistenceProvider for DuckDbProvider {
    fn persist_simulation_start(&self, start: SimulationStart) -> Result<(), PersistenceError> {
        let id = start.simulation_id.clone();
        check_id("simulation", &id)?;
        let run = Arc::new(Run::default());
        {
            let mut ids = self.database.ids();
            if !ids.simulations.insert(id.clone()) {
                return Err(PersistenceError::Exists { what: "simulation", id });
            }
            ids.running.insert(id, run.clone());
        }
        self.database.writer()?.send(Command::Start { start: Box::new(start), run, at: Moment::now() })
    }

    fn persist_simulation_resume(&self, resume: SimulationResume) -> Result<(), PersistenceError> {
        let id = resume.start.simulation_id.clone();
        let state = resume.ledger.state();
        let run = Arc::new(Run::after(state.last_tick(), state.sequence()));
        {
            let mut ids = self.database.ids();
            if ids.is_running(&id) {
                return Err(PersistenceError::OutOfOrder { id, what: "it is running".to_owned() });
            }
            ids.running.insert(id.clone(), run.clone());
        }
        let resume = Box::new(resume);
        let writer = self.database.writer()?;
        let resumed = writer.ask(|reply| Command::Resume { resume, run, reply }).and_then(Ticket::wait);
        if resumed.is_err() {
            self.database.ids().running.remove(&id);
        }
        resumed
    }

    fn persist_tick_events(
        &self,
        simulation_id: &str,
        record: TickRecord,
    ) -> Result<usize, PersistenceError> {
        let run = self.running(simulation_id)?;
        let events = record.events.len();
        run.advance(record.tick, record.first_sequence, events)
            .map_err(|what| PersistenceError::OutOfOrder { id: simulation_id.to_owned(), what })?;
        self.database.writer()?.send(Command::Tick { simulation_id: Arc::from(simulation_id), record })?;
        Ok(events)
    }

    fn persist_simulation_complete(
        &self,
        simulation_id: &str,
        end: SimulationCompletion,
    ) -> Result<Ticket, PersistenceError> {
        let duration_seconds = end.duration_seconds;
        let end = End { status: Status::Completed, duration_seconds, error: None, checkpoint: None };
        self.end(simulation_id, end)
    }

    fn persist_simulation_failed(
        &self,
        simulation_id: &str,
        failure: SimulationFailure,
    ) -> Result<Ticket, PersistenceError> {
        let status = match failure.outcome {
            Failure::Failed => Status::Failed,
            Failure::Cancelled => Status::Cancelled,
        };
        let SimulationFailure { outcome: _, error, duration_seconds, checkpoint } = failure;
        self.end(simulation_id, End { status, duration_seconds, error: Some(error), checkpoint })
    }
}
