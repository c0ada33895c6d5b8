//! What the screens show, as plain values: they know neither the database nor the simulator.

mod policies;
mod runs;
mod stories;
mod sweeps;

use std::cmp::Ordering;
use std::sync::Arc;

use crate::experiment::extent::Extent;
use crate::money::Cents;

pub use policies::{PolicyLine, PolicyOf, PolicyText, Role};
pub use runs::{BankInIteration, Exchange, IterationRow, Judgement, RunDetail, RunRow, Verdict};
pub use stories::{
    BankDay, BankStory, Comparison, Counterparty, Couple, Divergence, Export, Fact, Figure, Kept, KeptKey,
    PaymentStory, Place, Shelf, SqlRows, run_figures,
};
pub use sweeps::{PointRow, SweepDetail, SweepSize};

/// How far a run or a simulation is (spec 06, 2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Running,
    Completed,
    Failed,
    Cancelled,
    Interrupted,
}

impl Status {
    /// All of them.
    pub const ALL: &'static [Self] =
        &[Self::Running, Self::Completed, Self::Failed, Self::Cancelled, Self::Interrupted];

    /// The word that the database stores.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }
}

/// A row with a key that keeps its selection through changes of the list.
pub trait Row {
    /// Identifies the row in its list.
    type Key: Clone + PartialEq + std::fmt::Debug;

    /// The key.
    fn key(&self) -> Self::Key;
}

/// A recorded simulation.
#[derive(Clone, Debug, PartialEq)]
pub struct SimulationRow {
    pub id: String,
    pub title: String,
    pub purpose: String,
    pub run: Option<String>,
    pub iteration: Option<u64>,
    pub agent: Option<String>,
    pub sample: Option<u64>,
    pub seed: u64,
    pub status: Status,
    /// Ticks stored, and ticks it was to run.
    pub ticks_stored: u64,
    pub ticks: u64,
    pub events: u64,
    pub cost: Option<Cents>,
    /// Settled payments as a part of those that arrived.
    pub settlement_rate: Option<f64>,
    /// Local time, as text, and as the number that orders simulations.
    pub started: String,
    pub started_at: i64,
    /// Why it failed, was cancelled or is interrupted.
    pub error: Option<String>,
    /// What the user wrote about it.
    pub note: Option<String>,
}

impl SimulationRow {
    /// Whether its iteration is the point of a sweep.
    pub fn is_of_sweep(&self) -> bool {
        self.purpose == "sweep"
    }
}

impl Row for SimulationRow {
    type Key = (i64, String);

    fn key(&self) -> Self::Key {
        (self.started_at, self.id.clone())
    }
}

/// Which simulations a list shows; all given conditions hold together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SimulationFilter {
    pub run: Option<String>,
    /// From 0.
    pub iteration: Option<u64>,
    /// Point of a sweep, which stands in the place of an iteration.
    pub point: Option<u64>,
    /// Why it was run, as stored.
    pub purpose: Option<String>,
    pub status: Option<Status>,
    /// Title or file name of the scenario.
    pub scenario: Option<String>,
    pub seed: Option<u64>,
    /// Occurs in id, title, file name or description.
    pub text: Option<String>,
    /// The column that orders the list; without one the newest stands first.
    pub sort: Option<Sort>,
}

/// An order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    pub by: SortBy,
    pub descending: bool,
}

/// Columns by which simulations can be ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortBy {
    Cost,
    Settled,
    Events,
    Ticks,
    Seed,
    Scenario,
}

impl SortBy {
    /// All of them, in the order in which they are offered.
    pub const ALL: &'static [Self] =
        &[Self::Cost, Self::Settled, Self::Events, Self::Ticks, Self::Seed, Self::Scenario];

    /// The word in a filter.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Cost => "cost",
            Self::Settled => "settled",
            Self::Events => "events",
            Self::Ticks => "ticks",
            Self::Seed => "seed",
            Self::Scenario => "scenario",
        }
    }

    fn compare(self, a: &SimulationRow, b: &SimulationRow) -> Ordering {
        match self {
            Self::Cost => a.cost.cmp(&b.cost),
            Self::Settled => a.settlement_rate.partial_cmp(&b.settlement_rate).unwrap_or(Ordering::Equal),
            Self::Events => a.events.cmp(&b.events),
            Self::Ticks => a.ticks_stored.cmp(&b.ticks_stored),
            Self::Seed => a.seed.cmp(&b.seed),
            Self::Scenario => a.title.cmp(&b.title),
        }
    }
}

impl Sort {
    /// Orders simulations; equal ones stay as they stand.
    pub fn apply(self, rows: &mut [SimulationRow]) {
        rows.sort_by(|a, b| {
            let order = self.by.compare(a, b);
            if self.descending { order.reverse() } else { order }
        });
    }

    /// The next column after an order, largest first; after the last one none.
    pub fn next(sort: Option<Self>) -> Option<Self> {
        let place = sort.and_then(|sort| SortBy::ALL.iter().position(|by| *by == sort.by));
        let by = *SortBy::ALL.get(place.map_or(0, |place| place + 1))?;
        Some(Self { by, descending: by != SortBy::Scenario })
    }
}

/// An event as shown: its columns and, for the detail pane, its keys.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRow {
    pub sequence: u64,
    pub tick: u64,
    pub kind: String,
    /// The canonical event line.
    pub line: String,
}

impl Row for EventRow {
    type Key = u64;

    fn key(&self) -> u64 {
        self.sequence
    }
}

/// A bank at a moment of a simulation. Money in cents.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BankRow {
    pub bank: String,
    pub balance: Cents,
    /// Change of the balance since the moment before, by tick or by event.
    pub change: Cents,
    /// Credit line in use.
    pub credit_used: Cents,
    /// The whole credit line.
    pub credit_line: Cents,
    pub collateral: Cents,
    pub queue1: u64,
    pub queue1_value: Cents,
    pub queue2: u64,
    pub queue2_value: Cents,
    pub cost: Cents,
    /// Change of the cost since the moment before.
    pub cost_change: Cents,
}

impl Row for BankRow {
    type Key = String;

    fn key(&self) -> String {
        self.bank.clone()
    }
}

/// A payment that waits in a queue.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueRow {
    pub payment: String,
    pub sender: String,
    pub receiver: String,
    /// What is left to settle.
    pub amount: Cents,
    pub priority: u8,
    pub deadline: u64,
    pub overdue: bool,
    /// RTGS priority in queue 2; the tick until which a part is held back in queue 1.
    pub note: String,
}

impl Row for QueueRow {
    type Key = String;

    fn key(&self) -> String {
        self.payment.clone()
    }
}

/// The state of a simulation after some of its events.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    pub tick: u64,
    /// Events of the tick that have happened; all of them: the end of the tick.
    pub applied: usize,
    pub day: u64,
    pub tick_in_day: u64,
    /// Last tick stored, and ticks it was to run.
    pub last_tick: u64,
    pub ticks: u64,
    pub status: Status,
    pub title: String,
    pub banks: Vec<BankRow>,
    /// Queue 1 of every bank, bank by bank.
    pub queue1: Vec<QueueRow>,
    pub queue2: Vec<QueueRow>,
    /// All events of the tick.
    pub events: Arc<[EventRow]>,
}

/// Where in a simulation to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seek {
    /// After the whole tick.
    Tick(u64),
    /// After so many events of the tick, at most all.
    Event(u64, usize),
    /// After this event.
    Sequence(u64),
    /// After the last stored tick.
    End,
}

/// A simulation from start to end, for charts and the scrubber.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Course {
    /// Ticks between two samples.
    pub stride: u64,
    /// Bank and its balance at the end of every `stride`-th tick.
    pub balances: Vec<(String, Vec<i64>)>,
    /// Events in every stretch of `stride` ticks.
    pub density: Vec<u64>,
}

/// What Home shows of the database.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overview {
    pub runs: Vec<RunRow>,
    pub run_count: u64,
    pub simulation_count: u64,
    pub event_count: u64,
}

/// What a file or a library entry is, or what becomes of a recorded run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Experiment,
    Scenario,
    Policy,
    /// A recorded run goes on.
    Resume,
    /// The experiment of a recorded run is run once more.
    Rerun,
}

impl Kind {
    /// Its name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Experiment => "experiment",
            Self::Scenario => "scenario",
            Self::Policy => "policy",
            Self::Resume => "resumed run",
            Self::Rerun => "rerun",
        }
    }
}

/// An entry of the built-in library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LibraryItem {
    pub kind: Kind,
    pub name: String,
    /// Which question it answers.
    pub question: String,
}

impl Row for LibraryItem {
    type Key = (&'static str, String);

    fn key(&self) -> Self::Key {
        (self.kind.word(), self.name.clone())
    }
}

/// A file that can be launched, as read and checked: its settings are the form's defaults.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    pub kind: Kind,
    pub name: String,
    pub description: String,
    /// In decimal: the master seed of an experiment can have any size.
    pub seed: String,
    pub banks: u64,
    /// Ticks of one simulation.
    pub ticks: u64,
    /// How its beginning went.
    pub trial: Option<Trial>,
    /// The experiment's own settings.
    pub experiment: Option<ExperimentSettings>,
    pub warnings: Vec<String>,
}

/// The beginning of a scenario, simulated to see what the whole will take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trial {
    pub ticks: u64,
    pub events: u64,
    pub seconds: f64,
}

/// Settings of an experiment that Launch offers.
#[derive(Clone, Debug, PartialEq)]
pub struct ExperimentSettings {
    pub mode: String,
    pub iterations: u64,
    pub samples: u64,
    pub proposer: String,
    pub persist: Persist,
    /// Threads for its simulations.
    pub workers: u64,
    pub optimized: Vec<String>,
    /// Runs of a sweep, which improves nothing.
    pub sweep: Option<SweepSize>,
    /// What the number of its simulations depends on.
    pub extent: Extent,
}

/// Which simulations of an experiment are stored (spec 07, 16.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persist {
    None,
    Primary,
    All,
}

impl Persist {
    /// All levels.
    pub const ALL: [Self; 3] = [Self::None, Self::Primary, Self::All];

    /// The word in files.
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Primary => "primary",
            Self::All => "all",
        }
    }
}

/// What to launch.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// `library:NAME` or a path; of a recorded run its id.
    pub source: String,
    pub kind: Kind,
    /// Title in the list of jobs.
    pub title: String,
    pub seed: String,
    /// Ticks to run; only for a scenario.
    pub ticks: Option<u64>,
    /// Only for an experiment.
    pub experiment: Option<ExperimentPlan>,
}

/// Settings of an experiment as chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct ExperimentPlan {
    pub iterations: u64,
    pub samples: u64,
    pub persist: Persist,
    pub workers: u64,
    pub proposer: String,
    /// Whether that is another one than the file's own.
    pub replaces_proposer: bool,
}

/// What a job reports.
#[derive(Clone, Debug, PartialEq)]
pub enum JobReport {
    /// It began; what it writes.
    Started { run: Option<String>, simulation: Option<String> },
    /// How far it is.
    Progress(Progress),
    /// A line for its log.
    Log(String),
    /// A language model's reply as far as it has come in; `None` once it is whole.
    Heard(Option<Hearing>),
    /// It ended; after this nothing more comes.
    Ended { status: Status, message: String },
}

/// A reply that is coming in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hearing {
    /// The bank that a policy is asked for.
    pub agent: String,
    /// The call within the round, from 1.
    pub call: u32,
    /// The text so far.
    pub text: String,
}

/// How far a job is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// Part done, 0 to 1.
    pub part: f64,
    /// What it is doing: `iteration 3 of 25`.
    pub stage: String,
    /// Simulations finished.
    pub simulations: u64,
    pub ticks_per_second: f64,
    pub elapsed_seconds: f64,
}
