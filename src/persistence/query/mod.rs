//! Every question that is asked of the database: one filter in, typed rows out (spec 06, 5).

mod reader;
pub(super) mod row;
mod types;

pub use reader::{Interrupt, Reader};
pub use types::*;
