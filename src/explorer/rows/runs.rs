//! Runs of experiments and their iterations.

use super::{Row, Status};
use crate::money::Cents;

/// A run of an experiment.
#[derive(Clone, Debug, PartialEq)]
pub struct RunRow {
    pub id: String,
    pub name: String,
    pub mode: String,
    pub proposer: String,
    pub status: Status,
    /// Iterations started.
    pub iterations: u64,
    /// The cap on iterations, where known.
    pub max_iterations: Option<u64>,
    pub first_cost: Option<Cents>,
    pub best_cost: Option<Cents>,
    /// 1 − best ÷ first.
    pub reduction: Option<f64>,
    /// Of the last evaluation.
    pub settlement_rate: Option<f64>,
    pub simulations: u64,
    pub events: u64,
    pub started: String,
    pub ended: Option<String>,
    /// Until its end, or until its last iteration.
    pub seconds: Option<f64>,
}

impl Row for RunRow {
    type Key = String;

    fn key(&self) -> String {
        self.id.clone()
    }
}

/// How a bank's round ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// The proposal took the place of the policy in force.
    Accepted,
    /// It was compared and refused.
    Rejected,
    /// No call gave a usable policy.
    Unusable,
    /// The proposer had nothing better.
    Declined,
}

/// What became of one bank's proposal in an iteration. Costs are means over the samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    pub judgement: Judgement,
    pub reason: String,
    pub old_cost: Option<Cents>,
    pub new_cost: Option<Cents>,
    /// Sum of old − new over the samples.
    pub delta_sum: Option<Cents>,
    pub samples: u64,
    /// 95 % interval of the paired differences old − new.
    pub interval: Option<(Cents, Cents)>,
    /// Standard deviation of the proposal's costs.
    pub deviation: Option<Cents>,
    /// Of the proposal.
    pub settlement_rate: Option<f64>,
    /// Cost of the proposal by kind.
    pub kinds: Vec<(String, Cents)>,
}

impl Verdict {
    /// One without a comparison.
    pub fn uncompared(judgement: Judgement, reason: impl Into<String>) -> Self {
        Self {
            judgement,
            reason: reason.into(),
            old_cost: None,
            new_cost: None,
            delta_sum: None,
            samples: 0,
            interval: None,
            deviation: None,
            settlement_rate: None,
            kinds: Vec::new(),
        }
    }
}

/// One bank in an iteration.
#[derive(Clone, Debug, PartialEq)]
pub struct BankInIteration {
    pub bank: String,
    pub cost: Cents,
    /// Its liquidity fraction as evaluated.
    pub fraction: Option<f64>,
    /// Its policy's parameters as evaluated.
    pub parameters: Vec<(String, f64)>,
    /// What differs from its policy in the iteration before, a line each.
    pub changes: Vec<String>,
    /// Why the policy that came from the iteration before was taken back: it failed.
    pub taken_back: Option<String>,
    /// `None` while nothing was proposed.
    pub verdict: Option<Verdict>,
    /// Calls of the proposer, and the tokens and seconds that they took.
    pub calls: u64,
    pub tokens: u64,
    pub seconds: f64,
}

/// One iteration of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct IterationRow {
    pub iteration: u64,
    pub total: Cents,
    pub banks: Vec<BankInIteration>,
    pub settlement_rate: Option<f64>,
    pub average_delay: Option<f64>,
}

impl Row for IterationRow {
    type Key = u64;

    fn key(&self) -> u64 {
        self.iteration
    }
}

/// A run with its iterations.
#[derive(Clone, Debug, PartialEq)]
pub struct RunDetail {
    pub run: RunRow,
    pub iterations: Vec<IterationRow>,
    /// Why it ended.
    pub reason: Option<String>,
}

/// One call of a proposer: what it was told, what it said, what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    pub bank: String,
    /// From 1 within the round.
    pub call: u64,
    pub model: String,
    pub system_prompt: String,
    pub user_prompt: String,
    pub reply: Option<String>,
    /// Why the reply gave no policy.
    pub error: Option<String>,
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    pub seconds: f64,
}

impl Row for Exchange {
    type Key = (String, u64);

    fn key(&self) -> Self::Key {
        (self.bank.clone(), self.call)
    }
}
