//! What simple policies would have cost in the last iteration (spec 07, 20.4). They are measured when the
//! loop has come to its end and are no part of the run: no number, event or row, and nothing depends on
//! them.

use rayon::prelude::*;
use serde_json::{Map, Value, json};

use super::super::laboratory::{Laboratory, RunError};
use super::super::policies::{AgentPolicy, DEFAULT_FRACTION, FRACTION, default_policy};
use super::super::sampler::Sample;
use super::super::stream::by_agent;
use super::Run;
use super::measure::{Basis, total};
use crate::persistence::PolicyAuthor;

/// The common fractions that are tried are the multiples of one in so many.
const STEPS: u32 = 20;

/// Evaluations that the baselines take: the common fractions, and `fifo`.
pub const EVALUATIONS: u64 = STEPS as u64 + 2;

/// With what the last iteration was evaluated.
struct Bench<'a> {
    lab: &'a Laboratory,
    /// Seed of a full run.
    seed: u64,
    /// Of each agent; empty where policies are measured by a full run.
    samples: &'a [Vec<Sample>],
}

/// A baseline measured.
struct Measured {
    fraction: f64,
    /// Of each agent, in cents.
    costs: Vec<i64>,
    total: i64,
    settlement_rate: f64,
}

impl Run<'_> {
    /// The baselines of a run whose loop has come to its end.
    pub(super) fn baselines(&self) -> Option<Value> {
        let seed = self.seed(self.num_iterations.checked_sub(1)?, 0);
        let samples = match self.context.as_deref() {
            Some(context) if self.plan.experiment.evaluation.uses_samples() => {
                context.day(&self.lab).ok()?.samples.as_slice()
            }
            _ => &[],
        };
        Bench { lab: &self.lab, seed, samples }.baselines()
    }
}

impl Bench<'_> {
    /// The baselines by name; those that cannot run are left out, and all of them if the user stops.
    fn baselines(&self) -> Option<Value> {
        let common = |step: u32| {
            let fraction = f64::from(step) / f64::from(STEPS);
            self.measure(fraction, |agent| default_policy(agent, fraction))
        };
        let tried: Vec<Result<Option<Measured>, RunError>> =
            (0..=STEPS).into_par_iter().map(common).collect();
        let tried: Vec<Measured> =
            tried.into_iter().collect::<Result<Vec<_>, _>>().ok()?.into_iter().flatten().collect();
        let fifo = self.measure(1.0, |_| json!({"type": "Fifo", FRACTION: 1.0})).ok()?;
        let start = tried.iter().find(|it| it.fraction.total_cmp(&DEFAULT_FRACTION).is_eq());
        // The smaller of equals.
        let constant = tried.iter().min_by_key(|it| it.total);
        let named = [("start", start), ("fifo", fifo.as_ref()), ("constant", constant)];
        let found = named.into_iter().filter_map(|(name, it)| Some((name.to_owned(), self.shown(it?))));
        Some(Value::Object(found.collect::<Map<_, _>>()))
    }

    /// The same policy for every optimised agent; `None` if it cannot run.
    fn measure(&self, fraction: f64, policy: impl Fn(&str) -> Value) -> Result<Option<Measured>, RunError> {
        let build = |agent: &str| AgentPolicy::build(policy(agent), PolicyAuthor::Default);
        let policies: Result<Vec<AgentPolicy>, String> =
            self.lab.agents().iter().map(|agent| build(&agent.id)).collect();
        let Ok(policies) = policies else { return Ok(None) };
        let measured = self.run(&policies).and_then(|basis| {
            let costs = basis.costs(self.lab);
            let settlement_rate = basis.tally().rate();
            Ok(Measured { fraction, total: total(&costs)?, costs, settlement_rate })
        });
        RunError::measurable(measured)
    }

    fn run(&self, policies: &[AgentPolicy]) -> Result<Basis, RunError> {
        if self.samples.is_empty() {
            return self.lab.full_run(policies, self.seed, false, None).map(Basis::Full);
        }
        let batch =
            |(agent, samples): (usize, &Vec<Sample>)| self.lab.batch(agent, samples, &policies[agent], None);
        self.samples.iter().enumerate().map(batch).collect::<Result<_, _>>().map(Basis::Samples)
    }

    fn shown(&self, measured: &Measured) -> Value {
        let Measured { fraction, costs, total, settlement_rate } = measured;
        let agents: Vec<String> = self.lab.agents().iter().map(|agent| agent.id.clone()).collect();
        json!({
            "fraction": fraction,
            "costs_per_agent": by_agent(&agents, costs.iter().copied()),
            "total_cost": total,
            "settlement_rate": settlement_rate,
        })
    }
}
