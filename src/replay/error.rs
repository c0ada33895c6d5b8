//! What can be wrong with events that are folded.

use super::payment::Place;
use crate::ids::{BankIdx, PaymentId};
use crate::money::Cents;
use crate::time::Tick;

/// An event that does not fit the state before it. The state is of no use afterwards.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event {sequence} of tick {tick} does not fit the state before it: {problem}")]
pub struct FoldError {
    /// Number of the event in the run, or of the one after the last.
    pub sequence: u64,
    /// Tick of the event.
    pub tick: Tick,
    /// What does not fit.
    pub problem: Problem,
}

/// What does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Ticks are folded one after the other.
    #[error("tick {expected} comes next, not tick {found}")]
    TickOutOfOrder {
        /// The next tick.
        expected: Tick,
        /// The tick that was given.
        found: Tick,
    },
    /// An event outside of a tick, or a tick begun inside of another.
    #[error("the tick was {}", if *.open { "not ended" } else { "not begun" })]
    TickBounds {
        /// Whether a tick is open.
        open: bool,
    },
    /// A bank that the scenario does not have.
    #[error("there is no bank number {}", .0.0)]
    UnknownBank(BankIdx),
    /// A payment that never came into being or is settled.
    #[error("payment `{0}` is not open")]
    UnknownPayment(PaymentId),
    /// Payments come into being in the order of their numbers.
    #[error("payment `{0}` does not come after the payments before it")]
    PaymentOutOfOrder(PaymentId),
    /// A payment from a bank to itself.
    #[error("payment `{0}` has the same bank on both sides")]
    SameParties(PaymentId),
    /// A payment of other banks than the event says.
    #[error("payment `{0}` is between other banks")]
    OtherParties(PaymentId),
    /// A payment that stands elsewhere.
    #[error("payment `{payment}` stands in {}, not in {}", .found.name(), .expected.name())]
    Elsewhere {
        /// The payment.
        payment: PaymentId,
        /// Where it must stand.
        expected: Place,
        /// Where it stands.
        found: Place,
    },
    /// A figure that is not what the events before give.
    #[error("{figure} is {found}, but {expected} follows from the events before")]
    Differs {
        /// Which figure.
        figure: &'static str,
        /// What follows from the events before.
        expected: i128,
        /// What the event says.
        found: i128,
    },
    /// A figure that leaves 64 bits.
    #[error("{0} leaves the range of amounts")]
    Overflow(&'static str),
    /// A timer that was never set.
    #[error("bank number {} has no collateral timer that is due", .0.0)]
    NoTimer(BankIdx),
    /// A register reset that was never set.
    #[error("bank number {} has no such register", .0.0)]
    NoRegister(BankIdx),
    /// Submitted payments that neither settled nor were queued.
    #[error("{0} submitted payments neither settled nor were queued")]
    LeftSubmitted(usize),
    /// Deferred credits that were not applied.
    #[error("bank number {} was not credited {} cents", .bank.0, .amount.0)]
    NotCredited {
        /// The bank.
        bank: BankIdx,
        /// How much.
        amount: Cents,
    },
}

impl Problem {
    pub(super) fn differs(figure: &'static str, expected: Cents, found: Cents) -> Result<(), Self> {
        if expected == found {
            return Ok(());
        }
        Err(Self::Differs { figure, expected: expected.0.into(), found: found.0.into() })
    }
}
