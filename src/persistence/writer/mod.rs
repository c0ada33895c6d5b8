//! The one thread that writes a file (spec 06, 3.2): it takes the ticks of all running
//! simulations and the rows of experiments from a bounded channel, in order, and commits
//! them in batches of whole ticks.

mod buffer;
mod checkpoints;
mod commit;
mod derived;
mod experiments;
mod resume;
mod simulation;
mod whole;

use std::collections::HashMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SendError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use duckdb::Connection;

use self::buffer::Buffer;
use self::commit::Traces;
use self::simulation::Simulation;
use super::database::Ids;
use super::experiment::{ExperimentWrite, ExperimentWrites};
use super::open::CHECKPOINT;
use super::provider::{Checkpoint, Hurry, SimulationResume, SimulationStart, TickRecord, Ticket};
use super::{Moment, PersistenceError, Status, schema};
use crate::metrics::Totals;
use crate::time::Tick;

pub(super) use self::checkpoints::Reason as CheckpointReason;
pub(super) use self::derived::{integers as totals_as_stored, push_closed, push_open};
pub(super) use self::whole::{Ending, Whole};

/// Messages that may wait before whoever sends one has to.
const CHANNEL: usize = 64;
/// How long a row waits at most for its commit.
const MAX_WAIT: Duration = Duration::from_millis(250);
/// How many rows wait at most for their commit.
const MAX_ROWS: usize = 50_000;
/// A simulation with so many events is followed by a checkpoint of the file.
const CHECKPOINT_EVENTS: u64 = 100_000;

type Reply = Sender<Result<(), PersistenceError>>;

/// A simulation as its caller and the writer both see it.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// Why it can no longer be stored.
    pub failure: OnceLock<PersistenceError>,
    /// The tick and the sequence that must come next.
    next: Mutex<(u64, u64)>,
}

impl Run {
    /// Of a simulation that goes on after a tick and so many events.
    pub(super) fn after(last_tick: Option<Tick>, events: u64) -> Self {
        let next = (last_tick.map_or(0, |tick| tick.after(1).0), events);
        Self { failure: OnceLock::new(), next: Mutex::new(next) }
    }

    /// Takes the next tick and its events; says what is wrong if they are not the next ones.
    pub(super) fn advance(&self, tick: Tick, first_sequence: u64, events: usize) -> Result<(), String> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let (next_tick, next_sequence) = *next;
        if tick.0 != next_tick {
            return Err(format!("tick {tick} came where tick {next_tick} was to come"));
        }
        if first_sequence != next_sequence {
            return Err(format!("event {first_sequence} came where event {next_sequence} was to come"));
        }
        *next = (next_tick.saturating_add(1), next_sequence.saturating_add(events as u64));
        Ok(())
    }
}

/// How a simulation ended.
#[derive(Debug)]
pub(super) struct End {
    pub status: Status,
    pub duration_seconds: f64,
    pub error: Option<String>,
    pub checkpoint: Option<Checkpoint>,
}

/// What the fold gave of a simulation whose process died.
pub(super) struct Repaired {
    pub simulation_id: String,
    pub buffers: Buffers,
    pub totals: Totals,
}

pub(super) enum Command {
    Start { start: Box<SimulationStart>, run: Arc<Run>, at: Moment },
    Resume { resume: Box<SimulationResume>, run: Arc<Run>, reply: Reply },
    Tick { simulation_id: Arc<str>, record: TickRecord },
    End { simulation_id: Arc<str>, run: Arc<Run>, end: End, reply: Reply },
    Experiment { writes: ExperimentWrites, reply: Reply },
    Remove { simulations: Vec<String>, runs: Vec<String>, reply: Reply },
    Repaired(Box<Repaired>),
    Hurry,
    Close,
}

/// Rows that wait, table by table.
pub(super) struct Buffers {
    simulations: Buffer,
    events: Buffer,
    transactions: Buffer,
    daily: Buffer,
    policies: Buffer,
    snapshots: Buffer,
}

impl Buffers {
    /// No rows.
    ///
    /// # Errors
    ///
    /// A table is not in the registry; an error of the program.
    pub(super) fn new() -> Result<Self, PersistenceError> {
        let buffer = |name: &'static str| {
            schema::table(name)
                .map(Buffer::new)
                .ok_or_else(|| PersistenceError::Query(format!("table `{name}` is not in the registry")))
        };
        Ok(Self {
            simulations: buffer("simulations")?,
            events: buffer("simulation_events")?,
            transactions: buffer("transactions")?,
            daily: buffer("daily_agent_metrics")?,
            policies: buffer("policy_snapshots")?,
            snapshots: buffer("replay_snapshots")?,
        })
    }

    fn all(&mut self) -> [&mut Buffer; 6] {
        [
            &mut self.simulations,
            &mut self.events,
            &mut self.transactions,
            &mut self.daily,
            &mut self.policies,
            &mut self.snapshots,
        ]
    }

    /// Rows that wait.
    pub(super) fn rows(&mut self) -> usize {
        self.all().iter().map(|buffer| buffer.len()).sum()
    }

    /// Hands the rows that follow from events to temporary tables whose names begin so.
    pub(super) fn append_derived(&mut self, connection: &Connection, prefix: &str) -> duckdb::Result<()> {
        for buffer in [&mut self.transactions, &mut self.daily] {
            buffer.append_to_temporary(connection, prefix)?;
        }
        Ok(())
    }
}

/// The caller's side of the writer.
#[derive(Debug)]
pub(super) struct Writer {
    sender: SyncSender<Command>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    ///
    /// The system gives no thread.
    pub(super) fn start(
        connection: Connection,
        path: PathBuf,
        ids: Arc<Mutex<Ids>>,
    ) -> Result<Self, PersistenceError> {
        let (sender, receiver) = sync_channel(CHANNEL);
        let mut state = State::new(connection, path, ids)?;
        let thread = std::thread::Builder::new()
            .name("database writer".to_owned())
            .spawn(move || state.run(&receiver))
            .map_err(|error| PersistenceError::Query(format!("no thread for the writer: {error}")))?;
        Ok(Self { sender, thread: Mutex::new(Some(thread)) })
    }

    /// Hands a command over; waits while the writer is behind.
    ///
    /// # Errors
    ///
    /// The writer is gone.
    pub(super) fn send(&self, command: Command) -> Result<(), PersistenceError> {
        self.sender.send(command).map_err(|SendError(_)| PersistenceError::Stopped)
    }

    /// Hands over what is answered when it is committed.
    ///
    /// # Errors
    ///
    /// The writer is gone.
    pub(super) fn ask(&self, command: impl FnOnce(Reply) -> Command) -> Result<Ticket, PersistenceError> {
        let (reply, done) = channel();
        self.send(command(reply))?;
        Ok(Ticket::new(done, Box::new(HurryUp(self.sender.clone()))))
    }

    /// Commits what waits, checkpoints and ends the thread.
    pub(super) fn close(&self) {
        // A thread that is gone already needs no farewell.
        let _ = self.send(Command::Close);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

#[derive(Debug)]
struct HurryUp(SyncSender<Command>);

impl Hurry for HurryUp {
    fn hurry(&self) {
        // If the writer is gone the ticket says so.
        let _ = self.0.send(Command::Hurry);
    }
}

/// The writer's side.
struct State {
    connection: Connection,
    path: PathBuf,
    /// The file that had this path when it was opened.
    file: Option<(u64, u64)>,
    buffers: Buffers,
    simulations: HashMap<String, (Simulation, Arc<Run>)>,
    experiments: Vec<ExperimentWrites>,
    repaired: Vec<Repaired>,
    replies: Vec<Reply>,
    /// Ids that are taken; those of what could not even begin to be stored become free again.
    ids: Arc<Mutex<Ids>>,
    /// Runs whose rows can no longer be trusted to be complete, with the cause.
    failed_runs: HashMap<String, PersistenceError>,
    /// Since when something waits.
    since: Option<Instant>,
    /// Time of the last commit; the next one's rows are never earlier.
    last: Moment,
    hurry: bool,
    checkpoint: bool,
}

/// Device and number of a file: the same under all its names.
pub(super) fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

impl State {
    fn new(connection: Connection, path: PathBuf, ids: Arc<Mutex<Ids>>) -> Result<Self, PersistenceError> {
        Ok(Self {
            connection,
            ids,
            file: identity(&path),
            path,
            buffers: Buffers::new()?,
            simulations: HashMap::new(),
            experiments: Vec::new(),
            repaired: Vec::new(),
            replies: Vec::new(),
            failed_runs: HashMap::new(),
            since: None,
            last: Moment::default(),
            hurry: false,
            checkpoint: false,
        })
    }

    fn run(&mut self, receiver: &Receiver<Command>) {
        loop {
            let due = self.since.map(|since| MAX_WAIT.saturating_sub(since.elapsed()));
            let command = match due {
                None => receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(due) => receiver.recv_timeout(due),
            };
            match command {
                Ok(Command::Close) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(command) => self.take(command),
                Err(RecvTimeoutError::Timeout) => {}
            }
            let late = self.since.is_some_and(|since| since.elapsed() >= MAX_WAIT);
            if self.hurry || late || self.buffers.rows() >= MAX_ROWS {
                self.commit();
            }
        }
        self.commit();
        if let Err(error) = self.connection.execute_batch(CHECKPOINT) {
            tracing::warn!(%error, "the file could not be checkpointed on closing");
        }
    }

    fn waits(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    fn take(&mut self, command: Command) {
        match command {
            Command::Start { start, run, at } => {
                let simulation = Simulation::new(*start, at);
                simulation.push_policies(&mut self.buffers.policies);
                self.simulations.insert(simulation.start.simulation_id.clone(), (simulation, run));
                self.waits();
            }
            Command::Resume { resume, run, reply } => {
                // Who no longer waits does not want to know.
                let _ = reply.send(self.resume(*resume, run));
            }
            Command::Tick { simulation_id, record } => self.take_tick(&simulation_id, record),
            Command::End { simulation_id, run, end, reply } => {
                self.take_end(&simulation_id, &run, end, reply);
            }
            Command::Experiment { writes, reply } => self.take_experiment(writes, reply),
            Command::Remove { simulations, runs, reply } => {
                self.commit();
                let done = self.remove(&simulations, &runs, Traces::Gone);
                // Who no longer waits does not want to know.
                let _ = reply.send(done);
            }
            Command::Repaired(repaired) => {
                self.repaired.push(*repaired);
                self.waits();
            }
            Command::Hurry => self.hurry = true,
            Command::Close => {}
        }
    }

    fn take_tick(&mut self, simulation_id: &str, record: TickRecord) {
        // A simulation that can no longer be stored is not known here any more.
        let Some((simulation, run)) = self.simulations.get_mut(simulation_id) else { return };
        let tick = record.tick;
        if let Err(what) = simulation.tick(record, &mut self.buffers) {
            let error = PersistenceError::OutOfOrder { id: simulation_id.to_owned(), what: what.clone() };
            let _ = run.failure.set(error);
            let text = format!("tick {tick} cannot be stored: {what}");
            let (status, error) = (Status::Failed, Some(text));
            let end = End { status, duration_seconds: 0.0, error, checkpoint: None };
            simulation.end(end, &mut self.buffers);
        }
        self.waits();
    }

    fn take_end(&mut self, simulation_id: &str, run: &Run, end: End, reply: Reply) {
        let ended = match (run.failure.get(), self.simulations.get_mut(simulation_id)) {
            (Some(failure), _) => Err(failure.clone()),
            (None, None) => Err(PersistenceError::OutOfOrder {
                id: simulation_id.to_owned(),
                what: "it has ended already".to_owned(),
            }),
            (None, Some((simulation, _))) => {
                simulation.end(end, &mut self.buffers);
                self.checkpoint |= simulation.progress.event_count >= CHECKPOINT_EVENTS;
                Ok(())
            }
        };
        if ended.is_err() {
            // Who no longer waits does not want to know.
            let _ = reply.send(ended);
        } else {
            self.replies.push(reply);
        }
        self.waits();
    }

    fn take_experiment(&mut self, writes: ExperimentWrites, reply: Reply) {
        let ends = writes.writes.iter().any(|write| matches!(write, ExperimentWrite::End(_)));
        if writes.starts() || writes.resumes() {
            // What goes wrong from here on has a cause of its own.
            self.failed_runs.remove(&writes.run_id);
        }
        if let Some(cause) = self.failed_runs.get(&writes.run_id).filter(|_| !ends) {
            let _ = reply.send(Err(cause.clone()));
            return;
        }
        let removed: Vec<String> = writes.removed().map(str::to_owned).collect();
        if !removed.is_empty() {
            self.commit();
            if let Err(error) = self.remove(&removed, &[], Traces::Kept) {
                let _ = reply.send(Err(error));
                return;
            }
        }
        self.experiments.push(writes);
        self.replies.push(reply);
        self.waits();
    }
}
