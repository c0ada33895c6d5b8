//! Figures of a simulation, folded from its scenario and its events (spec 02, 16 to 18; 03, 12; 06, 2).
//!
//! [`Ledger`] wraps the replayed [`State`](crate::replay::State): feed it the events of every
//! tick and it gives the figures of the tick, the rows of payments that settled, the daily
//! rows, and at any time the totals of the run. [`Summary`] is the result that `run` prints.

mod daily;
mod ledger;
mod lsm;
mod summary;
mod totals;
mod transaction;

pub use daily::DailyRow;
pub use ledger::{DayFigures, Ledger, TickFigures, TickOutcome};
pub use lsm::{LsmKind, LsmRecord, lsm_records};
pub use summary::{AgentSummary, SimulationSummary, Summary, write_costs};
pub use totals::Totals;
pub use transaction::{PaymentStatus, TransactionRow};

#[cfg(test)]
mod cases;
#[cfg(test)]
mod tests;
