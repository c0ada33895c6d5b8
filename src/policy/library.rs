//! The built-in policy types (spec 04, 9.1).

/// A policy type that needs no document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BuiltIn {
    /// Releases everything.
    Fifo,
    /// Releases near the deadline.
    Deadline {
        /// Ticks to the deadline from which on a payment is released, above 0.
        urgency_threshold: i64,
    },
    /// Keeps a buffer of liquidity.
    LiquidityAware {
        /// Balance that stays, cents, at least 0.
        target_buffer: i64,
        /// Ticks to the deadline from which on the buffer may be used, above 0.
        urgency_threshold: i64,
    },
    /// Splits what the balance does not cover.
    LiquiditySplitting {
        /// Parts of an urgent payment, 2 to 10.
        max_splits: i64,
        /// Checked, without effect.
        min_split_amount: i64,
    },
    /// Splits everything.
    MockSplitting {
        /// Parts, 2 to 10.
        num_splits: i64,
    },
}
