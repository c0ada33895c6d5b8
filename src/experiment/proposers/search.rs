//! The built-in search (spec 07, 10.5): offline, deterministic, over the parameters that may vary.

use super::{Answer, Evaluate, Proposer, Request};
use crate::experiment::evaluate::RunError;

/// The built-in search with what it remembers of a run.
#[derive(Debug, Default)]
pub struct Search {}

impl Proposer for Search {
    fn propose(&mut self, _request: &Request<'_>, _evaluate: &mut dyn Evaluate) -> Result<Answer, RunError> {
        Ok(Answer::Declined)
    }
}
