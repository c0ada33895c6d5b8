//! Who proposes policies, and how one is chosen (spec 07, 10; X11).

mod briefing;
mod choice;
mod llm;
mod replies;
mod script;
pub mod search;

use serde_json::Value;

use super::constraints::PolicyConstraints;
use super::laboratory::RunError;

pub use briefing::{Briefing, Sampled};
pub use choice::{Chosen, ChosenKind, Environment, Wishes};
pub use llm::Model;
pub use replies::Replies;
pub use script::Script;

/// Proposes a policy for one agent at a time.
pub trait Proposer {
    /// Answers one call.
    ///
    /// # Errors
    /// The run was cancelled, or cannot go on.
    fn propose(&mut self, request: &Request<'_>, bench: &mut dyn Workbench) -> Result<Call, RunError>;

    /// Remembers a call of a run that goes on after an interruption: what came of it is recorded, and
    /// later calls are to come out as if the proposer had just answered it.
    ///
    /// # Errors
    /// The run was cancelled, or cannot go on.
    fn recall(&mut self, _request: &Request<'_>, _bench: &mut dyn Workbench) -> Result<(), RunError> {
        Ok(())
    }
}

/// What a run offers a proposer during a call. Nothing that is done with it is stored.
pub trait Workbench {
    /// Cost and settlement rate of each candidate as the comparison of this call would measure them
    /// (10.5); `None` for one that cannot be measured: it cannot be built, it fails in a run, or the
    /// call's evaluations are used up.
    ///
    /// # Errors
    /// The run was cancelled, or cannot go on.
    fn evaluate(&mut self, candidates: &[Value]) -> Result<Vec<Option<Measured>>, RunError>;

    /// What the agent knows of the iteration's evaluation (21, 22).
    ///
    /// # Errors
    /// The run was cancelled, or cannot go on.
    fn briefing(&mut self) -> Result<Briefing, RunError>;

    /// Shows whoever watches a piece of a reply that is still coming in.
    fn heard(&mut self, piece: &str);

    /// Whether somebody asked to stop.
    fn is_cancelled(&self) -> bool;
}

/// A call with what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// What came of it.
    pub answer: Answer,
    /// What was said, where the proposer was spoken to.
    pub exchange: Exchange,
}

impl From<Answer> for Call {
    fn from(answer: Answer) -> Self {
        Self { answer, exchange: Exchange::default() }
    }
}

/// What was said to a proposer, and what it took. Scripts and the search have neither prompts nor
/// tokens, and take no time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exchange {
    /// What it always goes by.
    pub system_prompt: String,
    /// What it was asked.
    pub user_prompt: String,
    /// Tokens of both.
    pub prompt_tokens: u64,
    /// Tokens of the reply.
    pub completion_tokens: u64,
    /// From the question to the end of the reply.
    pub latency_seconds: f64,
}

/// What a proposer is told in a call (X12: nothing about other agents).
#[derive(Debug)]
pub struct Request<'a> {
    /// The agent.
    pub agent: &'a str,
    /// Its policy in force.
    pub current: &'a Value,
    /// The iteration, from 0.
    pub iteration: u32,
    /// The call within the round, from 1.
    pub call: u32,
    /// What proposals may hold.
    pub constraints: &'a PolicyConstraints,
    /// The agent's own past.
    pub history: &'a AgentHistory,
    /// Whether the agent has a liquidity pool.
    pub has_pool: bool,
    /// Whether candidates are measured on samples, not by one run.
    pub by_samples: bool,
    /// What the file says to whoever proposes for the agent.
    pub advice: Option<String>,
    /// Least settlement rate of an acceptable proposal.
    pub min_settlement_rate: f64,
    /// Root of all seeds, in decimal.
    pub master_seed: &'a str,
    /// Why the previous call of the round failed.
    pub last_error: Option<&'a str>,
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A policy in force is to stay; no failure.
    Declined,
    /// A reply, with the policy read from it or why there is none.
    Reply {
        /// The reply as it came.
        raw: String,
        /// What was read.
        policy: Result<Value, String>,
    },
    /// No reply.
    Failed(String),
}

/// The agent's own past in this run.
#[derive(Clone, Debug, Default)]
pub struct AgentHistory {
    /// Its evaluated cost per iteration, in cents.
    pub costs: Vec<i64>,
    /// The policies that were evaluated.
    pub policies: Vec<Value>,
    /// Its comparisons.
    pub comparisons: Vec<PastComparison>,
}

/// An earlier comparison of the agent.
#[derive(Clone, Debug, PartialEq)]
pub struct PastComparison {
    /// Iteration, from 0.
    pub iteration: u32,
    /// The policy in force.
    pub current: Value,
    /// The proposal.
    pub policy: Value,
    /// Mean cost of the policy in force.
    pub old_cost: i64,
    /// Mean cost of the proposal.
    pub new_cost: i64,
    /// Whether it was accepted.
    pub accepted: bool,
    /// Which checks decided.
    pub reason: String,
}

/// What a candidate would cost its agent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Cost in cents, summed over the samples (one run: its cost).
    pub cost: i128,
    /// Settlement rate that the comparison would test.
    pub settlement_rate: f64,
}

/// Most evaluations in one call.
pub const MAX_EVALUATIONS: usize = 200;
