//! Context runs, samples and the evaluation of the policies in force (spec 07, 8).

use std::cell::OnceCell;
use std::rc::Rc;

use serde_json::{Value, json};

use super::super::laboratory::{Laboratory, OptimizedAgent, Place, RunError, SampleOutcome};
use super::super::outcome::{Outcome, Tally};
use super::super::policies::AgentPolicy;
use super::super::sampler::{Sample, samples};
use super::super::seeds::iteration_seed;
use super::super::statistics::{floor_mean, spread};
use super::super::stream::{EventKind, StreamEvent, by_agent};
use super::journal::Journal;
use super::round::Round;
use super::{Run, SimulationNote};
use crate::experiment::file::Mode;
use crate::experiment::ids::simulation_id;
use crate::persistence::{IterationRecord, Moment, Purpose};

/// The context run of an iteration.
pub struct Context {
    pub policies: Vec<AgentPolicy>,
    place: Place,
    /// The iteration seed of each agent; that of the first is the seed of the run.
    seeds: Vec<u64>,
    /// Samples for each agent; 0 where policies are compared by full runs.
    samples: usize,
    day: OnceCell<Day>,
}

/// What a context run came to, with the samples that were drawn from it.
pub struct Day {
    pub outcome: Outcome,
    /// Of each agent; empty lists where policies are compared by full runs.
    pub samples: Vec<Vec<Sample>>,
}

impl Context {
    /// What the run came to. In an iteration that is recorded it is carried out, or read from the
    /// database, only if somebody needs it.
    pub fn day(&self, lab: &Laboratory) -> Result<&Day, RunError> {
        if let Some(day) = self.day.get() {
            return Ok(day);
        }
        let seed = self.seeds.first().copied().unwrap_or_default();
        let outcome = lab.full_run(&self.policies, seed, true, Some((&self.place, None)))?;
        let samples = self.draw_samples(lab, &outcome);
        Ok(self.day.get_or_init(|| Day { outcome, samples }))
    }

    fn draw_samples(&self, lab: &Laboratory, outcome: &Outcome) -> Vec<Vec<Sample>> {
        let (true, Some(history)) = (self.samples > 0, &outcome.history) else {
            return vec![Vec::new(); self.policies.len()];
        };
        let of_agent = |(agent, seed): (&OptimizedAgent, &u64)| {
            let (outgoing, incoming) = (history.outgoing(agent.bank), history.incoming(agent.bank));
            samples(&outgoing, &incoming, *seed, self.samples, lab.ticks())
        };
        lab.agents().iter().zip(&self.seeds).map(of_agent).collect()
    }
}

/// The policies in force, measured.
pub struct Evaluation {
    pub policies: Vec<AgentPolicy>,
    /// Cost of each agent, in cents.
    pub costs: Vec<i64>,
    /// Their sum.
    pub total: i64,
    /// Settlement rate of the payments measured: the system's, or the agents' own in all samples.
    pub settlement_rate: f64,
    /// Their mean delay in ticks.
    pub average_delay: f64,
    /// Seed of its full run, and of everything else that watches the day of the iteration.
    pub seed: u64,
    /// Of its run, or of the first agent's batch.
    place: Place,
    by_samples: bool,
    basis: OnceCell<Basis>,
}

/// What an evaluation rests on.
pub enum Basis {
    /// One full run.
    Full(Outcome),
    /// Each agent's policy on each of its samples.
    Samples(Vec<Vec<SampleOutcome>>),
}

impl Evaluation {
    /// What it rests on. Of an evaluation that is recorded it is measured, or read from the database,
    /// only if somebody needs it.
    pub fn basis(&self, lab: &Laboratory, context: Option<&Context>) -> Result<&Basis, RunError> {
        if let Some(basis) = self.basis.get() {
            return Ok(basis);
        }
        let basis = self.measure(lab, context, &mut |_, _| {})?;
        Ok(self.basis.get_or_init(|| basis))
    }

    /// Measures; tells of every run, and of every batch with the number of its samples.
    fn measure(
        &self,
        lab: &Laboratory,
        context: Option<&Context>,
        done: &mut dyn FnMut(&Place, usize),
    ) -> Result<Basis, RunError> {
        let Some(context) = context.filter(|_| self.by_samples) else {
            let outcome = self.full_run(lab, context)?;
            done(&self.place, 0);
            return Ok(Basis::Full(outcome));
        };
        let mut outcomes = Vec::new();
        for (agent, (policy, samples)) in self.policies.iter().zip(&context.day(lab)?.samples).enumerate() {
            let place = Place { number: self.place.number + agent as u64, ..self.place };
            outcomes.push(lab.batch(agent, samples, policy, Some(&place))?);
            done(&place, samples.len());
        }
        Ok(Basis::Samples(outcomes))
    }

    /// One full run; its outcome may be known from the context run.
    fn full_run(&self, lab: &Laboratory, context: Option<&Context>) -> Result<Outcome, RunError> {
        match context {
            Some(context) if same(&context.policies, &self.policies) && !lab.stores(&self.place, false) => {
                Ok(context.day(lab)?.outcome.clone())
            }
            _ => lab.full_run(&self.policies, self.seed, false, Some((&self.place, None))),
        }
    }
}

impl Basis {
    /// Cost of each agent, in cents.
    pub fn costs(&self, lab: &Laboratory) -> Vec<i64> {
        match self {
            Self::Full(outcome) => full_costs(lab, outcome),
            Self::Samples(outcomes) => {
                outcomes.iter().map(|of_agent| floor_mean(&sample_costs(of_agent))).collect()
            }
        }
    }

    /// The payments of the whole system, or the agents' own in all samples.
    pub fn tally(&self) -> Tally {
        match self {
            Self::Full(outcome) => outcome.system(),
            Self::Samples(outcomes) => pooled(outcomes.iter().flatten()),
        }
    }
}

impl Run<'_> {
    /// The iteration seed of an agent.
    pub(super) fn seed(&self, iteration: u32, agent: usize) -> u64 {
        let id = &self.plan.experiment.optimized_agents[agent];
        iteration_seed(&self.plan.experiment.master_seed, u64::from(iteration), id)
    }

    pub(super) fn note(&mut self, place: &Place, samples: usize) {
        note(&self.lab, &mut self.journal, place, samples);
    }

    /// The context run of an iteration in bootstrap mode, and the samples (X2).
    pub(super) fn context(&mut self, iteration: u32) -> Result<Option<Rc<Context>>, RunError> {
        let evaluation = &self.plan.experiment.evaluation;
        if evaluation.mode != Mode::Bootstrap {
            return Ok(None);
        }
        let samples = if evaluation.uses_samples() { evaluation.samples() } else { 0 };
        let context = self.with_fallback(iteration, |run| {
            let context = Context {
                place: Place { number: run.numbers(1), purpose: Purpose::Init, iteration },
                policies: run.in_force(),
                seeds: (0..run.policies.len()).map(|agent| run.seed(iteration, agent)).collect(),
                samples,
                day: OnceCell::new(),
            };
            if run.journal.is_live() {
                context.day(&run.lab)?;
                run.note(&context.place, 0);
            }
            Ok(Rc::new(context))
        })?;
        self.context = Some(Rc::clone(&context));
        if !self.journal.is_live() {
            self.journal.skip(EventKind::ContextComplete);
            self.commit()?;
            return Ok(Some(context));
        }
        let agents = &self.plan.experiment.optimized_agents;
        let day = context.day(&self.lab)?;
        let costs = full_costs(&self.lab, &day.outcome);
        let data = json!({
            "iteration": iteration + 1,
            "total_cost": total(&costs)?,
            "per_agent_costs": by_agent(agents, costs.iter().copied()),
            "num_samples_per_agent": by_agent(agents, day.samples.iter().map(Vec::len)),
        });
        self.journal.emit(StreamEvent::new(iteration, EventKind::ContextComplete, data));
        self.commit()?;
        Ok(Some(context))
    }

    /// Measures the policies in force.
    pub(super) fn evaluate(
        &mut self,
        iteration: u32,
        purpose: Purpose,
        context: Option<&Context>,
    ) -> Result<Evaluation, RunError> {
        self.with_fallback(iteration, |run| run.evaluate_once(iteration, purpose, context))
    }

    fn evaluate_once(
        &mut self,
        iteration: u32,
        purpose: Purpose,
        context: Option<&Context>,
    ) -> Result<Evaluation, RunError> {
        let policies = self.in_force();
        let by_samples = context.is_some() && self.plan.experiment.evaluation.uses_samples();
        let number = self.numbers(if by_samples { policies.len() as u64 } else { 1 });
        let mut evaluation = Evaluation {
            place: Place { number, purpose, iteration },
            seed: self.seed(iteration, 0),
            policies,
            costs: Vec::new(),
            total: 0,
            settlement_rate: 0.0,
            average_delay: 0.0,
            by_samples,
            basis: OnceCell::new(),
        };
        let recorded = self.journal.ahead(EventKind::Evaluation, &[EventKind::BootstrapEvaluation]);
        let rates = self.rates.get(iteration as usize).filter(|_| purpose == Purpose::Eval);
        if let (Some(data), Some((rate, delay))) = (recorded, rates) {
            let costs = self.lab.agents().iter().map(|agent| data["per_agent_costs"][&agent.id].as_i64());
            evaluation.costs = costs.map(Option::unwrap_or_default).collect();
            (evaluation.settlement_rate, evaluation.average_delay) = (*rate, *delay);
        } else {
            let Self { lab, journal, .. } = self;
            let basis = evaluation.measure(lab, context, &mut |place, samples| {
                note(lab, journal, place, samples);
            })?;
            let tally = basis.tally();
            (evaluation.settlement_rate, evaluation.average_delay) = (tally.rate(), tally.average_delay());
            evaluation.costs = basis.costs(lab);
            evaluation.basis = OnceCell::from(basis);
        }
        evaluation.total = total(&evaluation.costs)?;
        Ok(evaluation)
    }

    /// Stores and shows an evaluation of the loop.
    pub(super) fn record(
        &mut self,
        iteration: u32,
        evaluation: &Evaluation,
        context: Option<&Context>,
    ) -> Result<(), RunError> {
        self.totals.push(evaluation.total);
        self.consider(iteration, evaluation);
        let measured = evaluation.costs.iter().zip(&evaluation.policies);
        for (history, (cost, policy)) in self.histories.iter_mut().zip(measured) {
            history.costs.push(*cost);
            history.policies.push(policy.json().clone());
        }
        if self.journal.is_live() {
            self.record_rows(iteration, evaluation, context)?;
        } else if evaluation.by_samples {
            self.journal.skip(EventKind::BootstrapEvaluation);
        }
        self.emit_evaluation(iteration, evaluation);
        let start = json!({"iteration": iteration + 1, "total_cost": evaluation.total});
        self.journal.emit(StreamEvent::new(iteration, EventKind::IterationStart, start));
        Ok(self.commit()?)
    }

    fn record_rows(
        &mut self,
        iteration: u32,
        evaluation: &Evaluation,
        context: Option<&Context>,
    ) -> Result<(), RunError> {
        let agents = &self.plan.experiment.optimized_agents;
        let basis = evaluation.basis(&self.lab, context)?;
        let costs = by_agent(agents, evaluation.costs.iter().copied());
        let policies = by_agent(agents, evaluation.policies.iter().map(|policy| policy.json().clone()));
        self.journal.writes().iteration(IterationRecord {
            iteration,
            costs_per_agent: costs.to_string(),
            total_cost: evaluation.total,
            accepted_changes: by_agent(agents, agents.iter().map(|_| false)).to_string(),
            policies: policies.to_string(),
            settlement_rate: Some(evaluation.settlement_rate),
            avg_delay: Some(evaluation.average_delay),
            timestamp: Moment::now(),
        });
        if let Basis::Samples(outcomes) = basis {
            let data = bootstrap_data(agents, evaluation, outcomes, |agent, sample| {
                super::super::seeds::sample_seed(self.seed(iteration, agent), sample)
            });
            self.journal.emit(StreamEvent::new(iteration, EventKind::BootstrapEvaluation, data));
        }
        Ok(())
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
        Ok(self.commit()?)
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
        let closing = self.evaluate(iteration, Purpose::Final, None)?;
        self.consider(iteration, &closing);
        self.emit_evaluation(iteration, &closing);
        Ok(self.commit()?)
    }
}

fn note(lab: &Laboratory, journal: &mut Journal<'_>, place: &Place, samples: usize) {
    let sample = (samples > 0).then_some(0);
    let id = simulation_id(journal.run_id(), place.number, place.purpose, sample);
    let stored = lab.stores(place, samples > 0);
    let Place { purpose, iteration, .. } = *place;
    journal.simulation(&SimulationNote { id, purpose, iteration, samples, stored });
}

fn full_costs(lab: &Laboratory, outcome: &Outcome) -> Vec<i64> {
    lab.agents().iter().map(|agent| outcome.cost(agent.bank)).collect()
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
pub fn total(costs: &[i64]) -> Result<i64, RunError> {
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
