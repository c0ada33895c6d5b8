//! The one place that knows the database: its layout, how simulations and experiments
//! are written to it, and every question that is asked of it (spec 06).
//!
//! [`Database::open`] opens a file once per process. [`Database::provider`] stores
//! simulations, [`Database::experiments`] the rows of experiments; both hand over to one
//! writer thread. [`Database::reader`] answers queries: one filter in, typed rows out.
//! [`Database::import`] takes over another file, of ours or of the reference.

mod bookmarks;
mod clock;
mod database;
mod error;
mod experiment;
mod import;
mod open;
mod provider;
mod query;
mod recovery;
mod reference;
pub mod schema;
mod status;
#[cfg(test)]
mod tests;
mod writer;

pub use bookmarks::{BookmarkRow, NewBookmark};
pub use clock::Moment;
pub use database::{Access, Database, Layout};
pub use error::PersistenceError;
pub use experiment::{
    ExperimentEnd, ExperimentStart, ExperimentWrite, ExperimentWrites, IterationRecord, LiveEvent,
    PolicyEvaluation, SweepPoint, SweepPointStatus,
};
pub use import::{Imported, check_importable};
pub use provider::{
    Checkpoint, DuckDbProvider, ExperimentContext, Failure, PolicyAuthor, PolicySnapshot,
    SimulationCompletion, SimulationFailure, SimulationPersistenceProvider, SimulationResume,
    SimulationStart, TickRecord, Ticket,
};
pub use query::*;
pub use status::{Purpose, Status};
