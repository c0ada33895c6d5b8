//! What a policy can decide (spec 04, 4).

use std::sync::Arc;

use crate::event::{RtgsPriority, Text};
use crate::money::Cents;
use crate::time::Tick;

/// A decision about one payment.
#[derive(Clone, Debug, PartialEq)]
pub enum PaymentDecision {
    /// Submit it whole (`Release`, `ReleaseWithCredit`).
    Release {
        /// Priority that the flag of the action gives: 10, 5 or 1.
        priority: Option<u8>,
        /// Not before this tick.
        timed_for: Option<Tick>,
    },
    /// Split it into equal parts, all submitted now (`Split`, `PaceAndRelease`).
    Split {
        /// Number of parts, at least 2.
        parts: u64,
    },
    /// Split it, some parts submitted now, the others held back (`StaggerSplit`).
    Stagger {
        /// Number of parts, at least 2.
        parts: u64,
        /// Parts submitted now, at most `parts`.
        first_now: u64,
        /// Ticks between later parts; 0 counts as 1.
        gap_ticks: u64,
        /// Added to the priority of the parts.
        priority_boost: u64,
    },
    /// Keep it in queue 1.
    Hold(HoldCause),
    /// Give it up.
    Drop,
    /// Set its priority, 0 to 10.
    Reprioritize(u8),
    /// Take it back from queue 2.
    Withdraw,
    /// Take it back from queue 2 and declare a class.
    Resubmit(RtgsPriority),
}

/// The reason argument of `Hold`.
#[derive(Clone, Debug, PartialEq)]
pub enum HoldCause {
    /// `InsufficientLiquidity`.
    InsufficientLiquidity,
    /// `AwaitingInflows`.
    AwaitingInflows,
    /// `LowPriority`.
    LowPriority,
    /// `NearDeadline`; the ticks left are those of the payment.
    NearDeadline,
    /// Any other reason, in the form that events show: `Custom("…")`.
    Custom(Text),
}

/// A decision of the bank tree.
#[derive(Clone, Debug, PartialEq)]
pub enum BankDecision {
    /// Nothing (`NoAction`, `Hold`).
    None,
    /// Limit what is released in this tick.
    Budget {
        /// Most in total; may be negative, then nothing passes.
        max_value: Cents,
        /// Receivers to which alone something is released; `None`: all.
        focus: Option<Arc<[Text]>>,
        /// Most to one receiver.
        max_per_counterparty: Option<Cents>,
    },
    /// Set a register or add to it.
    Register {
        /// Which of [`Program::registers`](super::Program::registers); `None`: a bad key, nothing
        /// is set.
        register: Option<RegisterIdx>,
        /// The value to set or to add.
        value: f64,
        /// Add to the old value instead of replacing it.
        add: bool,
        /// Text for the event.
        reason: Text,
        /// Nodes visited, for the event (spec 04, 2.4).
        path: Text,
    },
}

/// A register of a policy: an index into [`Program::registers`](super::Program::registers).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegisterIdx(pub u16);

/// A decision of a collateral tree.
#[derive(Clone, Debug, PartialEq)]
pub enum CollateralDecision {
    /// Nothing.
    Hold,
    /// Post collateral.
    Post {
        /// How much; 0 or less: nothing.
        amount: Cents,
        /// Reason word for the event.
        reason: Text,
        /// Ticks until it is withdrawn again.
        auto_withdraw_after: Option<u64>,
    },
    /// Take collateral back.
    Withdraw {
        /// How much; 0 or less: nothing.
        amount: Cents,
        /// Reason word for the event.
        reason: Text,
    },
}
