//! The one place that knows the database: its layout, how simulations and experiments
//! are written to it, and every question that is asked of it (spec 06).
//!
//! [`Database::open`] opens a file once per process. [`Database::provider`] stores
//! simulations, [`Database::commit`] the rows of experiments; both hand over to one
//! writer thread. [`Database::reader`] answers queries: one filter in, typed rows out; it also
//! exports tables ([`Reader::export_file`]) and holds everything that is stored against the events
//! ([`Reader::check`]). [`snapshot`] and [`compact`] copy whole files, [`Database::import`] takes over
//! another one, of ours or of the reference.

mod check;
mod clock;
mod copy;
mod database;
mod error;
mod experiment;
mod host;
mod import;
mod kept;
mod log;
mod new_file;
mod open;
mod provider;
mod query;
mod recovery;
mod reference;
pub mod schema;
mod status;
#[cfg(test)]
pub(crate) mod tests;
mod writer;

pub use check::{CheckDepth, CheckObserver, CheckProgress, Defect};
pub use clock::Moment;
pub use copy::{Compacted, IsUnwanted, compact, snapshot};
pub use database::{Access, Database, Layout, check_id};
pub use error::PersistenceError;
pub use experiment::{
    ExperimentEnd, ExperimentStart, ExperimentWrite, ExperimentWrites, IterationRecord, LiveEvent,
    PolicyEvaluation, SweepPoint, SweepPointStatus,
};
pub use import::{Imported, check_importable};
pub use kept::{BookmarkRow, NewBookmark, NoteRow, NoteTarget, SavedFilterRow};
pub use new_file::NewFile;
pub use provider::{
    Checkpoint, DuckDbProvider, ExperimentContext, Failure, PolicyAuthor, PolicySnapshot,
    SimulationCompletion, SimulationFailure, SimulationPersistenceProvider, SimulationResume,
    SimulationStart, TickRecord, Ticket,
};
pub use query::*;
pub use status::{Purpose, Status};
