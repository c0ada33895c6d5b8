//! Every question that is asked of the database: one filter in, typed rows out (spec 06, 5).

mod compare;
mod events;
mod experiments;
mod export;
mod figures;
mod filter;
mod info;
mod payments;
mod reader;
pub(super) mod row;
mod simulations;
mod sink;
mod sql;
mod state;
mod types;
mod unfinished;

pub(super) use events::LINE_COLUMNS;
pub use export::{ExportFilter, ExportForm, Exported};
pub use reader::{Interrupt, Reader};
pub use sink::{CsvRows, ExportError, JsonRows, RowSink};
pub(super) use state::read_scenario;
pub use types::*;
pub use unfinished::{StoredCheckpoint, Unfinished};
