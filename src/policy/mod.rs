//! Policies: JSON decision trees, checked when read, resolved for evaluation (spec 04).

mod decision;

pub use decision::{BankDecision, CollateralDecision, HoldCause, PaymentDecision, RegisterIdx};
mod program;
pub use program::Program;
