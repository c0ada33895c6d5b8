//! The state of a simulation rebuilt from its scenario and its events alone (spec 00, C29; 06, 5.5).
//!
//! [`State`] is the fold. Feed it whole ticks with [`State::apply_tick`], or one event at a
//! time between [`State::begin_tick`] and [`State::end_tick`]: it can be looked at after
//! every event. To go back, fold again from an earlier clone or from a snapshot
//! ([`State::encode`], [`State::decode`]).
//!
//! It holds only payments that are not settled, so its size does not grow with the length
//! of a run. [`Watch`] is told of every payment that leaves.
//!
//! Events of our own fit together, or the fold is refused. Those of the reference are believed, and
//! where they do not fit the state counts it ([`State::doubts`]).

mod apply;
mod bank;
mod error;
mod fit;
mod holdings;
mod moves;
mod payment;
mod rules;
mod settle;
mod snapshot;
mod state;
mod table;
#[cfg(test)]
mod tests;
mod why;

pub use bank::{BankState, Before, Budget, Timer};
pub use error::{FoldError, Problem};
pub use fit::Doubts;
pub use payment::{HeldBack, Payment, Place, Submission, WaitingFigures};
pub use snapshot::{SNAPSHOT_FORMAT, SnapshotError};
pub use state::State;
pub(crate) use state::saturating_sum;
pub use why::{Obstacle, WhyUnsettled};

use crate::event::{EventKind, Text};

/// Is told of what the fold does to payments, in the order in which it happens.
pub trait Watch {
    /// An original payment or a part came into being.
    fn arrived(&mut self, _payment: &Payment) {}
    /// A payment settled by an event of this type; the state forgets it now.
    fn settled(&mut self, _payment: &Payment, _by: EventKind, _figures: WaitingFigures) {}
    /// The last part of a split payment settled; the state forgets it now.
    fn split_settled(&mut self, _payment: &Payment, _figures: WaitingFigures) {}
    /// A payment was dropped for a reason; the state keeps it.
    fn dropped(&mut self, _payment: &Payment, _reason: &Text) {}
    /// A payment was replaced by its parts; the state keeps it until they are settled.
    fn split(&mut self, _payment: &Payment) {}
}

/// Nobody watches.
impl Watch for () {}
