//! What an agent knows of the evaluation of its policy: its own figures and what it saw of the day
//! (spec 07, 21 and 22; X12).

use crate::costs::Costs;
use crate::scenario::CostRates;
use crate::time::Tick;

/// One agent's view of an evaluation.
#[derive(Clone, Debug, PartialEq)]
pub struct Briefing {
    /// Its cost in cents; over samples the mean.
    pub cost: i64,
    /// Part of its own payments that settled.
    pub settlement_rate: f64,
    /// Mean ticks from arrival to settlement of its own payments.
    pub average_delay: f64,
    /// Its costs by kind; over samples their sums.
    pub costs: Costs,
    /// What is known of its samples, where it was measured on samples.
    pub sampled: Option<Sampled>,
    /// What the scenario charges.
    pub rates: CostRates,
    /// Its liquidity pool in cents.
    pub pool: Option<i64>,
    /// Ticks of a run.
    pub ticks: u64,
    /// What it saw of the context run, else of the evaluation's run, in order.
    pub trace: Vec<(Tick, String)>,
}

/// An agent's samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampled {
    /// How many.
    pub samples: usize,
    /// Standard deviation of their costs in cents.
    pub deviation: Option<i64>,
    /// Seed and cost of the cheapest.
    pub cheapest: (u64, i64),
    /// Seed and cost of the dearest.
    pub dearest: (u64, i64),
}
