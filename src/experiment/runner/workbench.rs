//! What a run offers a proposer during a call: measuring candidates, what its agent knows, and somebody
//! who listens. Nothing of it is stored (spec 07, 10.5, 21 and 22).

use rayon::prelude::*;
use serde_json::Value;

use super::super::laboratory::{Laboratory, RunError, SampleOutcome};
use super::super::outcome::Tally;
use super::super::policies::AgentPolicy;
use super::super::proposers::{Briefing, MAX_EVALUATIONS, Measured, Sampled, Workbench};
use super::super::sampler::Sample;
use super::super::statistics::spread;
use super::super::trace;
use super::measure::{Basis, Context, Evaluation, pooled, sample_costs};
use crate::costs::Costs;
use crate::persistence::PolicyAuthor;

/// What candidates of an agent are measured with.
#[derive(Clone, Copy)]
pub struct Meter<'a> {
    pub lab: &'a Laboratory,
    /// Place of the agent among the optimised ones.
    pub agent: usize,
    /// The policies in force.
    pub policies: &'a [AgentPolicy],
    /// Seed of full runs of a comparison.
    pub seed: u64,
}

/// The workbench of one call.
pub struct Experimenter<'a> {
    pub meter: Meter<'a>,
    pub evaluation: &'a Evaluation,
    pub context: Option<&'a Context>,
    /// Who hears a reply that is still coming in.
    pub ear: &'a mut dyn FnMut(&str),
    /// Evaluations made.
    pub used: usize,
}

impl Meter<'_> {
    /// On the agent's samples; by a full run where there are none.
    fn measure(&self, candidate: &Value, samples: &[Sample]) -> Result<Option<Measured>, RunError> {
        let Ok(policy) = AgentPolicy::build(candidate.clone(), PolicyAuthor::Search) else { return Ok(None) };
        let measured = if samples.is_empty() {
            let mut policies = self.policies.to_vec();
            policies[self.agent] = policy;
            self.lab.full_run(&policies, self.seed, false, None).map(|outcome| Measured {
                cost: i128::from(outcome.cost(self.lab.agents()[self.agent].bank)),
                settlement_rate: outcome.system().rate(),
            })
        } else {
            self.lab.batch(self.agent, samples, &policy, None).map(|outcomes| Measured {
                cost: outcomes.iter().map(|outcome| i128::from(outcome.cost)).sum(),
                settlement_rate: pooled(&outcomes).rate(),
            })
        };
        RunError::measurable(measured)
    }
}

impl<'a> Experimenter<'a> {
    /// The agent's samples; none where policies are compared by full runs.
    fn samples(&self) -> Result<&'a [Sample], RunError> {
        match self.context {
            Some(context) => Ok(&context.day(self.meter.lab)?.samples[self.meter.agent]),
            None => Ok(&[]),
        }
    }

    /// The agent's costs by kind, its own payments, and its samples if it was measured on some.
    fn figures(&self) -> Result<(Costs, Tally, Option<Sampled>), RunError> {
        let bank = self.meter.lab.agents()[self.meter.agent].bank;
        Ok(match self.evaluation.basis(self.meter.lab, self.context)? {
            Basis::Full(outcome) => (outcome.costs[bank.at()], outcome.tallies[bank.at()], None),
            Basis::Samples(outcomes) => {
                let outcomes = &outcomes[self.meter.agent];
                let costs = outcomes
                    .iter()
                    .fold(Costs::ZERO, |sum, outcome| sum.checked_add(&outcome.costs).unwrap_or(sum));
                (costs, pooled(outcomes), sampled(self.samples()?, outcomes))
            }
        })
    }
}

fn sampled(samples: &[Sample], outcomes: &[SampleOutcome]) -> Option<Sampled> {
    let priced = || samples.iter().zip(outcomes).map(|(sample, outcome)| (sample.seed, outcome.cost));
    Some(Sampled {
        samples: outcomes.len(),
        deviation: spread(&sample_costs(outcomes)).map(|spread| spread.deviation),
        cheapest: priced().min_by_key(|(_, cost)| *cost)?,
        dearest: priced().max_by_key(|(_, cost)| *cost)?,
    })
}

impl Workbench for Experimenter<'_> {
    fn evaluate(&mut self, candidates: &[Value]) -> Result<Vec<Option<Measured>>, RunError> {
        let now = candidates.len().min(MAX_EVALUATIONS.saturating_sub(self.used));
        self.used += now;
        let (meter, samples) = (self.meter, self.samples()?);
        let measured: Vec<Result<Option<Measured>, RunError>> =
            candidates[..now].par_iter().map(|candidate| meter.measure(candidate, samples)).collect();
        let mut measured = measured.into_iter().collect::<Result<Vec<_>, _>>()?;
        measured.resize(candidates.len(), None);
        Ok(measured)
    }

    fn briefing(&mut self) -> Result<Briefing, RunError> {
        let agent = &self.meter.lab.agents()[self.meter.agent];
        // The events of the day were not kept: the same policies and seed give the same day.
        let policies = self.context.map_or(&self.evaluation.policies, |context| &context.policies);
        let mut told = Vec::new();
        self.meter.lab.watch(policies, self.evaluation.seed, &mut |tick, event, names| {
            told.extend(trace::line(event, agent.bank, names).map(|line| (tick, line)));
        })?;
        let (costs, tally, sampled) = self.figures()?;
        let scenario = self.meter.lab.scenario();
        Ok(Briefing {
            cost: self.evaluation.costs[self.meter.agent],
            settlement_rate: tally.rate(),
            average_delay: tally.average_delay(),
            costs,
            sampled,
            rates: scenario.cost_rates.clone(),
            pool: scenario.agent(&agent.id).and_then(|bank| bank.liquidity_pool).map(|pool| pool.0),
            ticks: self.meter.lab.ticks(),
            trace: told,
        })
    }

    fn heard(&mut self, piece: &str) {
        (self.ear)(piece);
    }

    fn is_cancelled(&self) -> bool {
        self.meter.lab.is_cancelled()
    }
}
