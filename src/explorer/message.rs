//! What comes into [`update`](super::update::update) and what it asks for: the boundary to everything else.

use super::filter::{EventFilter, FilterOf};
use super::key::Key;
use super::link::Link;
use super::rows::{
    BankStory, Comparison, Couple, Course, Divergence, EventRow, Exchange, Export, JobReport, Kept, KeptKey,
    Moment, Overview, PaymentStory, Place, Plan, PolicyOf, PolicyText, RunDetail, RunRow, Seek, Shelf,
    SimulationFilter, SimulationRow, SqlRows, Subject, SweepDetail,
};

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    Key(Key),
    Paste(String),
    /// Columns and rows.
    Resize(u16, u16),
    /// The answer to a question.
    Answer(Ticket, Result<Answer, String>),
    Job(JobId, JobReport),
    /// Time for the next step of a playing replay.
    Beat,
    /// Time to look for new rows.
    Poll,
    /// The terminal is ours again after a suspension.
    Resumed,
    /// The user has edited this file.
    Edited(String),
    /// The process is asked to end.
    Terminate,
    /// Something went wrong that the user should read.
    Trouble(String),
}

/// Number of a question; a later one is larger.
pub type Ticket = u64;

/// Number of a job in this session.
pub type JobId = u64;

/// What the world outside is asked to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Ask; the newest question of a slot replaces older ones, running or waiting.
    Ask(Slot, Ticket, Query),
    StartJob(JobId, Plan),
    CancelJob(JobId),
    /// Let a job wait between two ticks or simulations, or go on.
    PauseJob(JobId, bool),
    /// Puts a text where the user can paste it from.
    Copy(String),
    /// Edit a file, or a copy of a library entry, in the user's editor.
    Edit(String),
    Suspend,
    /// Leave. Jobs that still run are abandoned.
    Quit,
}

/// Questions that replace each other; of those that wait for one thread the first here comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// The rows or the moment of the screen.
    Main,
    /// A jump to a place that must be searched.
    Find,
    /// Its charts.
    Side,
    /// What is done beside the screen: a place to keep, rows to export.
    Errand,
}

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<K> {
    pub from: From<K>,
    pub limit: usize,
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From<K> {
    First,
    Last,
    After(K),
    Before(K),
    /// Around this row: half a page before, the rest from it on.
    Around(K),
}

/// A question.
#[derive(Clone, Debug, PartialEq)]
pub enum Query {
    Overview,
    Runs(Page<String>),
    Run(String),
    /// What a run found, in a page.
    Summary(String),
    /// The calls of the proposer in an iteration of a run.
    Conversation(String, u64),
    Policies(Vec<PolicyOf>),
    Simulations(SimulationFilter, Page<(i64, String)>),
    Events(String, EventFilter, Page<u64>),
    /// The nearest event after (or before) a sequence that the filter lets through; without a sequence
    /// the first (or last) one.
    FindEvent {
        simulation: String,
        filter: EventFilter,
        from: Option<u64>,
        forward: bool,
    },
    Moment(String, Seek),
    Course(String),
    Inspect(String),
    /// A payment of a simulation.
    Payment(String, String),
    /// A bank of a simulation.
    Bank(String, String),
    Compare(Couple),
    /// Where two simulations part.
    Divergence(String, String),
    /// Where the palette can go, in a simulation or outside.
    Places(Option<String>),
    /// A statement of the user.
    Statement(String),
    /// What the user keeps of a kind.
    Kept(Shelf),
    /// Keep a place under a name.
    Keep(String, Link),
    /// Keep a filter under a name.
    KeepFilter(FilterOf, String, String),
    /// What the user wrote about a place, or about what it shows.
    Note(Link),
    /// Write about a place.
    Annotate(Link, String),
    /// Write the rows of a view into a file.
    Export(Export, String),
    /// Forget what was kept; the answer is what is left of its kind.
    Forget(KeptKey),
    /// Forget what was asked before in this slot.
    Nothing,
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Overview(Overview),
    Runs(Batch<RunRow>),
    Run(Option<Box<RunDetail>>),
    /// The answer to [`Query::Run`] where the run is a sweep.
    Sweep(Box<SweepDetail>),
    Summary(Option<String>),
    Conversation(Vec<Exchange>),
    Policies(Vec<PolicyText>),
    Simulations(Batch<SimulationRow>),
    Events(Batch<EventRow>),
    Found(Option<EventRow>),
    Moment(Box<Moment>),
    Course(Course),
    Subject(Box<Subject>),
    Payment(Box<PaymentStory>),
    Bank(Box<BankStory>),
    Comparison(Box<Comparison>),
    Divergence(Option<Divergence>),
    Places(Vec<Place>),
    Kept(Vec<Kept>),
    /// A note as typed, and what it is about.
    Note(Link, String),
    /// An errand is done; what to tell the user.
    Done(String),
    Statement(SqlRows),
    Nothing,
}

/// Rows of a page.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch<R> {
    pub rows: Vec<R>,
    /// Whether there are more before and after.
    pub more_before: bool,
    pub more_after: bool,
    /// Rows of the whole list.
    pub total: u64,
}
