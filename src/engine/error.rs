//! Why a simulation ends early (spec 01, 4; 02, 20).

use crate::policy::EvalError;
use crate::time::Tick;

/// A tick that failed. What the complete ticks before it did stays.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("Tick execution failed: tick {tick}, {cause}")]
pub struct EngineError {
    /// The tick.
    pub tick: Tick,
    /// What happened in it.
    pub cause: TickFailure,
}

/// What can fail in a tick of an accepted scenario.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TickFailure {
    /// A policy could not be evaluated.
    #[error("bank `{bank}`: {error}")]
    Policy {
        /// Whose policy.
        bank: String,
        /// Tree, node and what was wrong.
        error: EvalError,
    },
    /// A figure left the signed 64-bit range (P1).
    #[error("bank `{bank}`: {figure} would leave the 64-bit range")]
    Overflow {
        /// Whose figure; the first bank where several are concerned.
        bank: String,
        /// Which figure.
        figure: &'static str,
    },
    /// A policy asked for more parts than a split may have.
    #[error("bank `{bank}`: a split into {parts} parts is beyond the limit of {limit}")]
    TooManyParts {
        /// Whose policy.
        bank: String,
        /// How many it asked for.
        parts: u64,
        /// How many there may be.
        limit: u64,
    },
}
