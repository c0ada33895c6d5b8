//! The replies of a language model in an earlier run, given once more: so its run can be verified without
//! the model.

use super::{Answer, Call, Proposer, Request, Workbench};
use crate::experiment::laboratory::RunError;
use crate::experiment::stream::Interaction;

/// What a model answered, call by call.
#[derive(Clone, Debug, PartialEq)]
pub struct Replies {
    /// The model, as `provider:name`.
    pub model: String,
    /// Iteration, from 0, and what came of a call in it.
    pub calls: Vec<(u32, Interaction)>,
}

impl Proposer for Replies {
    fn propose(&mut self, request: &Request<'_>, _bench: &mut dyn Workbench) -> Result<Call, RunError> {
        let asked = |(iteration, call): &&(u32, Interaction)| {
            *iteration == request.iteration && call.agent == request.agent && call.call == request.call
        };
        let recorded = self.calls.iter().find(asked).map(|(_, call)| call.to_call());
        let none = || Answer::Failed("no reply to this call is recorded".to_owned()).into();
        Ok(recorded.unwrap_or_else(none))
    }
}
