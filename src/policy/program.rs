//! A checked policy, ready for evaluation.

/// A checked policy, resolved for evaluation.
#[derive(Debug)]
pub struct Program;
