//! Context runs, samples and the evaluation of the policies in force (spec 07, 8).

use std::sync::Arc;

use serde_json::{Value, json};

use super::super::evaluate::{Laboratory, Place, RunError, SampleOutcome};
use super::super::outcome::{Outcome, Tally};
use super::super::policies::AgentPolicy;
use super::super::sampler::{Sample, samples};
use super::super::seeds::iteration_seed;
use super::super::statistics::{floor_mean, spread};
use super::super::stream::{EventKind, StreamEvent, by_agent};
use super::round::Round;
use super::{Run, SimulationNote};
use crate::experiment::file::Mode;
use crate::experiment::ids::simulation_id;
use crate::persistence::{IterationRecord, Moment, Purpose};

/// The context run of an iteration with the samples that were drawn from it.
pub struct Context {
    pub outcome: Outcome,
    /// Of each agent; empty lists where policies are compared by full runs.
    pub samples: Arc<Vec<Vec<Sample>>>,
    pub policies: Vec<AgentPolicy>,
}

/// The policies in force, measured.
pub struct Evaluation {
    pub policies: Vec<AgentPolicy>,
    /// Cost of each agent, in cents.
    pub costs: Vec<i64>,
    /// Their sum.
    pub total: i64,
    /// Whose payments it is depends on the mode: the system's, or the agents' own in all samples.
    pub tally: Tally,
    pub basis: Basis,
}

/// What an evaluation rests on.
pub enum Basis {
    /// One full run with this seed.
    Full { seed: u64, outcome: Outcome },
    /// Each agent's policy on each of its samples.
    Samples(Vec<Vec<SampleOutcome>>),
}

impl Evaluation {
    /// What the runs of policies come to (X4).
    pub fn of(lab: &Laboratory, policies: Vec<AgentPolicy>, basis: Basis) -> Result<Self, RunError> {
        let (costs, tally) = match &basis {
            Basis::Full { outcome, .. } => (full_costs(lab, outcome), outcome.system()),
            Basis::Samples(outcomes) => (
                outcomes.iter().map(|of_agent| floor_mean(&sample_costs(of_agent))).collect(),
                pooled(outcomes.iter().flatten()),
            ),
        };
        Ok(Self { policies, total: total(&costs)?, costs, tally, basis })
    }
}

/// The costs of the optimised agents in a full run.
fn full_costs(lab: &Laboratory, outcome: &Outcome) -> Vec<i64> {
    lab.agents().iter().map(|agent| outcome.cost(agent.bank)).collect()
}

impl Run<'_> {
    /// The iteration seed of an agent.
    pub(super) fn seed(&self, iteration: u32, agent: usize) -> u64 {
        let id = &self.plan.experiment.optimized_agents[agent];
        iteration_seed(&self.plan.experiment.master_seed, u64::from(iteration), id)
    }

    pub(super) fn note(&mut self, place: &Place, samples: usize) {
        let sample = (samples > 0).then_some(0);
        let id = simulation_id(self.journal.run_id(), place.number, place.purpose, sample);
        let stored = self.lab.stores(place, samples > 0);
        let Place { purpose, iteration, .. } = *place;
        self.journal.simulation(&SimulationNote { id, purpose, iteration, samples, stored });
    }

    /// The context run of an iteration in bootstrap mode, and the samples (X2).
    pub(super) fn context(&mut self, iteration: u32) -> Result<Option<Context>, RunError> {
        if self.plan.experiment.evaluation.mode != Mode::Bootstrap {
            return Ok(None);
        }
        let context = self.with_fallback(iteration, |run| {
            let place = Place { number: run.number(), purpose: Purpose::Init, iteration };
            let policies = run.in_force();
            let outcome = run.lab.full_run(&policies, run.seed(iteration, 0), true, Some((&place, None)))?;
            run.note(&place, 0);
            let samples = Arc::new(run.draw_samples(iteration, &outcome));
            Ok(Context { outcome, samples, policies })
        })?;
        if self.plan.experiment.evaluation.uses_samples() {
            self.samples = Arc::clone(&context.samples);
        }
        let agents = &self.plan.experiment.optimized_agents;
        let costs = full_costs(&self.lab, &context.outcome);
        let data = json!({
            "iteration": iteration + 1,
            "total_cost": total(&costs)?,
            "per_agent_costs": by_agent(agents, costs.iter().copied()),
            "num_samples_per_agent": by_agent(agents, context.samples.iter().map(Vec::len)),
        });
        self.journal.emit(StreamEvent::new(iteration, EventKind::ContextComplete, data));
        self.journal.commit(&self.lab)?;
        Ok(Some(context))
    }

    fn draw_samples(&self, iteration: u32, outcome: &Outcome) -> Vec<Vec<Sample>> {
        let evaluation = &self.plan.experiment.evaluation;
        let (true, Some(history)) = (evaluation.uses_samples(), &outcome.history) else {
            return vec![Vec::new(); self.policies.len()];
        };
        let of_agent = |(index, agent): (usize, &crate::experiment::evaluate::OptimizedAgent)| {
            let (outgoing, incoming) = (history.outgoing(agent.bank), history.incoming(agent.bank));
            samples(&outgoing, &incoming, self.seed(iteration, index), evaluation.samples(), evaluation.ticks)
        };
        self.lab.agents().iter().enumerate().map(of_agent).collect()
    }

    /// Measures the policies in force.
    pub(super) fn evaluate(
        &mut self,
        iteration: u32,
        context: Option<&Context>,
    ) -> Result<Evaluation, RunError> {
        let known = context.filter(|_| !self.plan.experiment.evaluation.uses_samples());
        self.with_fallback(iteration, |run| match context {
            Some(context) if run.plan.experiment.evaluation.uses_samples() => {
                run.bootstrap_evaluation(iteration, context)
            }
            _ => run.full_evaluation(iteration, Purpose::Eval, known),
        })
    }

    /// One full run; its outcome may be known from the context run.
    fn full_evaluation(
        &mut self,
        iteration: u32,
        purpose: Purpose,
        known: Option<&Context>,
    ) -> Result<Evaluation, RunError> {
        let place = Place { number: self.number(), purpose, iteration };
        let policies = self.in_force();
        let seed = self.seed(iteration, 0);
        let known = known.filter(|known| same(&known.policies, &policies) && !self.lab.stores(&place, false));
        let outcome = match known {
            Some(known) => known.outcome.clone(),
            None => self.lab.full_run(&policies, seed, false, Some((&place, None)))?,
        };
        self.note(&place, 0);
        Evaluation::of(&self.lab, policies, Basis::Full { seed, outcome })
    }

    /// Every agent's policy on its samples.
    fn bootstrap_evaluation(&mut self, iteration: u32, context: &Context) -> Result<Evaluation, RunError> {
        let policies = self.in_force();
        let mut outcomes = Vec::new();
        for (agent, policy) in policies.iter().enumerate() {
            let place = Place { number: self.number(), purpose: Purpose::Eval, iteration };
            let samples = &context.samples[agent];
            outcomes.push(self.lab.batch(agent, samples, policy, Some(&place))?);
            self.note(&place, samples.len());
        }
        Evaluation::of(&self.lab, policies, Basis::Samples(outcomes))
    }

    /// Stores and shows an evaluation of the loop.
    pub(super) fn record(&mut self, iteration: u32, evaluation: &Evaluation) -> Result<(), RunError> {
        let agents = &self.plan.experiment.optimized_agents;
        self.totals.push(evaluation.total);
        self.consider(iteration, evaluation);
        let measured = evaluation.costs.iter().zip(&evaluation.policies);
        for (history, (cost, policy)) in self.histories.iter_mut().zip(measured) {
            history.costs.push(*cost);
            history.policies.push(policy.json().clone());
        }
        let costs = by_agent(agents, evaluation.costs.iter().copied());
        let policies = by_agent(agents, evaluation.policies.iter().map(|policy| policy.json().clone()));
        self.journal.writes().iteration(IterationRecord {
            iteration,
            costs_per_agent: costs.to_string(),
            total_cost: evaluation.total,
            accepted_changes: by_agent(agents, agents.iter().map(|_| false)).to_string(),
            policies: policies.to_string(),
            settlement_rate: Some(evaluation.tally.rate()),
            avg_delay: Some(evaluation.tally.average_delay()),
            timestamp: Moment::now(),
        });
        if let Basis::Samples(outcomes) = &evaluation.basis {
            let data = bootstrap_data(agents, evaluation, outcomes, |agent, sample| {
                super::super::seeds::sample_seed(self.seed(iteration, agent), sample)
            });
            self.journal.emit(StreamEvent::new(iteration, EventKind::BootstrapEvaluation, data));
        }
        self.emit_evaluation(iteration, evaluation);
        let start = json!({"iteration": iteration + 1, "total_cost": evaluation.total});
        self.journal.emit(StreamEvent::new(iteration, EventKind::IterationStart, start));
        Ok(self.journal.commit(&self.lab)?)
    }

    fn emit_evaluation(&mut self, iteration: u32, evaluation: &Evaluation) {
        let agents = &self.plan.experiment.optimized_agents;
        let data = json!({
            "total_cost": evaluation.total,
            "per_agent_costs": by_agent(agents, evaluation.costs.iter().copied()),
        });
        self.journal.emit(StreamEvent::new(iteration, EventKind::Evaluation, data));
    }

    /// Which policies were replaced, and where the agents stand after the round.
    pub(super) fn end_iteration(
        &mut self,
        iteration: u32,
        evaluation: &Evaluation,
        round: &Round,
    ) -> Result<(), RunError> {
        let agents = &self.plan.experiment.optimized_agents;
        let accepted = by_agent(agents, round.accepted.iter().copied());
        self.journal.writes().accepted_changes(iteration, accepted.to_string());
        let fractions = agents.iter().zip(self.in_force()).filter_map(|(agent, policy)| {
            policy.fraction_parameter().map(|fraction| (agent.clone(), json!(fraction)))
        });
        let metrics = json!({
            "iteration": iteration + 1,
            "total_cost": evaluation.total,
            "per_agent_costs": by_agent(agents, evaluation.costs.iter().copied()),
            "per_agent_liquidity": Value::Object(fractions.collect()),
        });
        self.journal.emit(StreamEvent::new(iteration, EventKind::IterationMetrics, metrics));
        if round.calls() > 0 {
            self.calls += round.calls();
            self.tokens += round.prompt_tokens + round.completion_tokens;
            let stats = json!({
                "iteration": iteration + 1, "total_calls": round.calls(),
                "successful_calls": round.successful,
                "failed_calls": round.failed, "total_prompt_tokens": round.prompt_tokens,
                "total_completion_tokens": round.completion_tokens,
            });
            self.journal.emit(StreamEvent::new(iteration, EventKind::ProposerStats, stats));
        }
        Ok(self.journal.commit(&self.lab)?)
    }

    /// Policies that were never evaluated are, once more with the seed of the last iteration (9.3).
    pub(super) fn closing_evaluation(
        &mut self,
        iteration: u32,
        evaluated: &Evaluation,
    ) -> Result<(), RunError> {
        if same(&evaluated.policies, &self.in_force()) {
            return Ok(());
        }
        let closing =
            self.with_fallback(iteration, |run| run.full_evaluation(iteration, Purpose::Final, None))?;
        self.consider(iteration, &closing);
        self.emit_evaluation(iteration, &closing);
        Ok(self.journal.commit(&self.lab)?)
    }
}

/// Whether both hold the same policies.
pub(super) fn same(one: &[AgentPolicy], other: &[AgentPolicy]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.json() == other.json())
}

/// Costs of the samples in their order.
pub(super) fn sample_costs(outcomes: &[SampleOutcome]) -> Vec<i64> {
    outcomes.iter().map(|outcome| outcome.cost).collect()
}

/// The payments of several samples together.
pub(super) fn pooled<'a>(outcomes: impl IntoIterator<Item = &'a SampleOutcome>) -> Tally {
    outcomes.into_iter().fold(Tally::default(), |sum, outcome| sum.plus(&outcome.tally))
}

/// The sum of the agents' costs (X4).
fn total(costs: &[i64]) -> Result<i64, RunError> {
    let sum: i128 = costs.iter().map(|cost| i128::from(*cost)).sum();
    i64::try_from(sum)
        .map_err(|_| RunError::Failed("the total of costs would leave the 64-bit range".to_owned()))
}

fn bootstrap_data(
    agents: &[String],
    evaluation: &Evaluation,
    outcomes: &[Vec<SampleOutcome>],
    seed: impl Fn(usize, usize) -> u64,
) -> Value {
    let figures = evaluation.costs.iter().zip(outcomes).map(|(mean, outcomes)| {
        let tally = pooled(outcomes);
        json!({
            "mean_cost": mean,
            "std_dev": spread(&sample_costs(outcomes)).map(|spread| spread.deviation),
            "settlement_rate": tally.rate(),
            "avg_delay": tally.average_delay(),
        })
    });
    let mut results = Vec::new();
    for (agent, of_agent) in outcomes.iter().enumerate() {
        for (index, outcome) in of_agent.iter().enumerate() {
            results.push(json!({
                "agent_id": agents[agent], "index": index, "seed": seed(agent, index), "cost": outcome.cost,
                "settled": outcome.tally.settled, "total": outcome.tally.total,
                "settlement_rate": outcome.tally.rate(),
            }));
        }
    }
    json!({"total_cost": evaluation.total, "per_agent": by_agent(agents, figures), "seed_results": results})
}
