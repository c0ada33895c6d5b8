//! Every question that is asked of the database: one filter in, typed rows out (spec 06, 5).

mod compare;
mod events;
mod experiments;
mod figures;
mod filter;
mod info;
mod payments;
mod reader;
pub(super) mod row;
mod run_files;
mod simulations;
mod sql;
mod state;
mod types;
mod unfinished;

pub use reader::{Interrupt, Reader};
pub use run_files::{FileForm, RunPart};
pub use types::*;
pub use unfinished::{StoredCheckpoint, Unfinished};
