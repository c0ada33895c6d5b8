//! Measuring a proposal against the policy in force (spec 07, 11), and what the row says of it (16.2).

use serde_json::{Map, Value, json};

use super::super::acceptance::{Comparison, Verdict};
use super::super::file::Mode;
use super::super::laboratory::{Place, RunError, SampleOutcome};
use super::super::outcome::{Outcome, Tally, breakdown};
use super::super::policies::AgentPolicy;
use super::super::sampler::Sample;
use super::super::statistics::{Spread, floor_mean};
use super::Run;
use super::measure::{Basis, Context, Evaluation, pooled, same, sample_costs};
use crate::persistence::{Moment, PolicyEvaluation, Purpose};

/// A proposal measured.
pub struct Compared {
    /// Costs old and new with what follows from them.
    pub figures: Comparison,
    /// The payments whose settlement rate is tested.
    tally: Tally,
    /// Seeds and costs of the pairs.
    pairs: Vec<Pair>,
    basis: NewBasis,
}

struct Pair {
    seed: u64,
    old: i64,
    new: i64,
}

enum NewBasis {
    Full(Outcome),
    Samples(Vec<SampleOutcome>),
}

impl Run<'_> {
    /// The runs of a comparison. The inner error is that the proposal failed in its own run.
    pub(super) fn measure_proposal(
        &mut self,
        iteration: u32,
        evaluation: &Evaluation,
        context: Option<&Context>,
        agent: usize,
        proposal: &AgentPolicy,
    ) -> Result<Result<Compared, String>, RunError> {
        match (context, evaluation.basis(&self.lab, context)?) {
            (Some(context), Basis::Samples(outcomes)) => {
                let samples = &context.day(&self.lab)?.samples[agent];
                self.compare_on_samples(iteration, samples, &outcomes[agent], agent, proposal)
            }
            (_, Basis::Full(outcome)) => {
                self.compare_by_full_runs(iteration, (evaluation, outcome), agent, proposal)
            }
            (None, Basis::Samples(_)) => Err(RunError::Failed("samples without a context run".to_owned())),
        }
    }

    fn compare_on_samples(
        &mut self,
        iteration: u32,
        samples: &[Sample],
        old: &[SampleOutcome],
        agent: usize,
        proposal: &AgentPolicy,
    ) -> Result<Result<Compared, String>, RunError> {
        let place = Place { number: self.numbers(1), purpose: Purpose::New, iteration };
        let new = match self.lab.batch(agent, samples, proposal, Some(&place)) {
            // Nobody else has a policy that can fail in the sandbox.
            Err(RunError::Policy { message, .. }) => return Ok(Err(message)),
            other => other?,
        };
        self.note(&place, samples.len());
        let tally = pooled(&new);
        let figures = Comparison::new(&sample_costs(old), &sample_costs(&new), tally.rate());
        let pairs = samples
            .iter()
            .zip(old.iter().zip(&new))
            .map(|(sample, (old, new))| Pair { seed: sample.seed, old: old.cost, new: new.cost })
            .collect();
        Ok(Ok(Compared { figures, tally, pairs, basis: NewBasis::Samples(new) }))
    }

    fn compare_by_full_runs(
        &mut self,
        iteration: u32,
        (evaluation, evaluated): (&Evaluation, &Outcome),
        agent: usize,
        proposal: &AgentPolicy,
    ) -> Result<Result<Compared, String>, RunError> {
        let seed = self.seed(iteration, agent);
        let mut policies = self.in_force();
        let place = Place { number: self.numbers(1), purpose: Purpose::Old, iteration };
        let known = evaluation.seed == seed && same(&evaluation.policies, &policies);
        let old = if known && !self.lab.stores(&place, false) {
            evaluated.clone()
        } else {
            self.lab.full_run(&policies, seed, false, Some((&place, Some(agent))))?
        };
        self.note(&place, 0);
        policies[agent] = proposal.clone();
        let place = Place { number: self.numbers(1), purpose: Purpose::New, iteration };
        let new = match self.lab.full_run(&policies, seed, false, Some((&place, Some(agent)))) {
            Err(RunError::Policy { bank, message }) if bank == self.lab.agents()[agent].id => {
                return Ok(Err(message));
            }
            other => other?,
        };
        self.note(&place, 0);
        let bank = self.lab.agents()[agent].bank;
        let (old, tally) = (old.cost(bank), new.system());
        let pair = Pair { seed, old, new: new.cost(bank) };
        let figures = Comparison::new(&[pair.old], &[pair.new], tally.rate());
        Ok(Ok(Compared { figures, tally, pairs: vec![pair], basis: NewBasis::Full(new) }))
    }

    /// The row of a comparison.
    pub(super) fn evaluation_row(
        &self,
        iteration: u32,
        evaluation: &Evaluation,
        agent: usize,
        policy: &AgentPolicy,
        compared: &Compared,
        verdict: &Verdict,
    ) -> Result<PolicyEvaluation, RunError> {
        let Compared { figures, tally, pairs, basis } = compared;
        let bootstrap = self.plan.experiment.evaluation.mode == Mode::Bootstrap;
        let cost_breakdown = match basis {
            NewBasis::Full(outcome) => breakdown([&outcome.costs[self.lab.agents()[agent].bank.at()]]),
            NewBasis::Samples(samples) => breakdown(samples.iter().map(|sample| &sample.costs)),
        };
        let details =
            bootstrap.then(|| Value::Array(pairs.iter().enumerate().map(pair_data).collect()).to_string());
        let seed = pairs.first().and_then(|pair| i64::try_from(pair.seed).ok());
        let beyond = |_| RunError::Failed("the sum of differences would leave the 64-bit range".to_owned());
        Ok(PolicyEvaluation {
            iteration,
            agent_id: self.lab.agents()[agent].id.clone(),
            evaluation_mode: if bootstrap { "bootstrap" } else { "deterministic" },
            proposed_policy: policy.json().to_string(),
            old_cost: figures.mean_old,
            new_cost: figures.mean_new,
            context_simulation_cost: evaluation.costs[agent],
            accepted: verdict.accepted,
            acceptance_reason: verdict.reason.clone(),
            delta_sum: i64::try_from(figures.delta_sum).map_err(beyond)?,
            num_samples: u32::try_from(pairs.len()).unwrap_or(u32::MAX),
            sample_details: details,
            scenario_seed: seed.filter(|_| !bootstrap),
            timestamp: Moment::now(),
            settlement_rate: Some(tally.rate()),
            avg_delay: Some(tally.average_delay()),
            cost_breakdown: Some(cost_breakdown.to_string()),
            cost_std_dev: figures.new_spread.map(|spread| spread.deviation),
            confidence_interval_95: figures.interval.map(|i| json!([i.lower, i.upper]).to_string()),
            agent_stats: Some(self.agent_stats(agent, compared).to_string()),
        })
    }

    /// Every optimised agent under the new policy in a full run, in the sandbox the compared one (X12).
    fn agent_stats(&self, agent: usize, compared: &Compared) -> Value {
        let mut stats = Map::new();
        match &compared.basis {
            NewBasis::Full(outcome) => {
                for agent in self.lab.agents() {
                    let (costs, tally) = (&outcome.costs[agent.bank.at()], &outcome.tallies[agent.bank.at()]);
                    stats.insert(
                        agent.id.clone(),
                        figures_of(outcome.cost(agent.bank), tally, breakdown([costs])),
                    );
                }
            }
            NewBasis::Samples(samples) => {
                let costs = breakdown(samples.iter().map(|sample| &sample.costs));
                let mean = floor_mean(&sample_costs(samples));
                let mut of_agent = figures_of(mean, &pooled(samples), costs);
                if let Some(Spread { deviation, interval }) = compared.figures.new_spread {
                    of_agent["std_dev"] = json!(deviation);
                    of_agent["ci_95_lower"] = json!(interval.lower);
                    of_agent["ci_95_upper"] = json!(interval.upper);
                }
                stats.insert(self.lab.agents()[agent].id.clone(), of_agent);
            }
        }
        Value::Object(stats)
    }
}

fn pair_data((index, pair): (usize, &Pair)) -> Value {
    let Pair { seed, old, new } = pair;
    json!({"index": index, "seed": seed, "old_cost": old, "new_cost": new, "delta": old.saturating_sub(*new)})
}

fn figures_of(cost: i64, tally: &Tally, cost_breakdown: Value) -> Value {
    json!({
        "cost": cost, "settlement_rate": tally.rate(), "avg_delay": tally.average_delay(),
        "cost_breakdown": cost_breakdown,
    })
}
