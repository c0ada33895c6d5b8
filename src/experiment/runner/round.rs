//! One round: every agent in turn is offered better policies (spec 07, 9.1, 9.2 and 10.1).

use serde_json::{Value, json};

use super::super::constraints::PolicyConstraints;
use super::super::file::Mode;
use super::super::laboratory::RunError;
use super::super::policies::{AgentPolicy, DEFAULT_FRACTION};
use super::super::proposers::{Answer, Call, PastComparison, Request};
use super::super::stream::{EventKind, Interaction, StreamEvent};
use super::Run;
use super::compare::Compared;
use super::measure::{Context, Evaluation};
use super::workbench::{Experimenter, Meter};
use crate::persistence::PolicyEvaluation;

/// What a round came to.
pub struct Round {
    /// For each agent whether its policy was replaced.
    pub accepted: Vec<bool>,
    /// Calls of the proposer that gave a usable policy or declined.
    pub successful: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Tokens of the questions.
    pub prompt_tokens: u64,
    /// Tokens of the replies.
    pub completion_tokens: u64,
}

impl Round {
    /// Nobody was asked.
    pub fn idle(agents: usize) -> Self {
        Self {
            accepted: vec![false; agents],
            successful: 0,
            failed: 0,
            prompt_tokens: 0,
            completion_tokens: 0,
        }
    }

    /// Calls of the proposer.
    pub const fn calls(&self) -> u64 {
        self.successful + self.failed
    }
}

/// What a proposer is asked.
struct Question<'a> {
    agent: usize,
    /// From 1 within the round.
    call: u32,
    constraints: &'a PolicyConstraints,
    /// Why the call before failed.
    last_error: Option<&'a str>,
}

/// What everybody in a round goes by.
#[derive(Clone, Copy)]
struct Setting<'a> {
    iteration: u32,
    evaluation: &'a Evaluation,
    context: Option<&'a Context>,
    temporal: bool,
}

impl Run<'_> {
    /// Goes through the agents in their order.
    pub(super) fn round(
        &mut self,
        iteration: u32,
        evaluation: &Evaluation,
        context: Option<&Context>,
    ) -> Result<Round, RunError> {
        let temporal = self.plan.experiment.evaluation.mode == Mode::DeterministicTemporal;
        let setting = Setting { iteration, evaluation, context, temporal };
        let mut round = Round::idle(self.policies.len());
        for agent in 0..self.policies.len() {
            if self.lab.is_cancelled() {
                return Err(RunError::Cancelled);
            }
            self.record_fraction(&setting, agent);
            if let Some(constraints) = &self.plan.experiment.policy_constraints {
                round.accepted[agent] = self.improve(&setting, agent, constraints, &mut round)?;
                self.record_fraction(&setting, agent);
            }
        }
        Ok(round)
    }

    /// For the stability of policies in temporal mode (12.3).
    fn record_fraction(&mut self, setting: &Setting<'_>, agent: usize) {
        if setting.temporal
            && let Some(policy) = self.policies[agent].last()
        {
            let fraction = policy.fraction_parameter().unwrap_or(DEFAULT_FRACTION);
            let id = &self.plan.experiment.optimized_agents[agent];
            self.stability.record(id, u64::from(setting.iteration) + 1, fraction);
        }
    }

    /// Asks for a policy of one agent until one is usable, then judges it; whether it was taken.
    fn improve(
        &mut self,
        setting: &Setting<'_>,
        agent: usize,
        constraints: &PolicyConstraints,
        round: &mut Round,
    ) -> Result<bool, RunError> {
        let mut last_error: Option<String> = None;
        for call in 1..=self.plan.experiment.max_retries() {
            let mut interaction = Interaction {
                agent: self.plan.experiment.optimized_agents[agent].clone(),
                call,
                model: self.plan.proposer.model(),
                ..Interaction::default()
            };
            let question = Question { agent, call, constraints, last_error: last_error.as_deref() };
            let Call { answer, exchange } = self.ask(setting, &question)?;
            round.prompt_tokens += exchange.prompt_tokens;
            round.completion_tokens += exchange.completion_tokens;
            interaction.exchange = exchange;
            let proposal = match answer {
                Answer::Declined => {
                    round.successful += 1;
                    self.emit_interaction(setting.iteration, &interaction);
                    self.commit()?;
                    return Ok(false);
                }
                Answer::Failed(reason) => Err(reason),
                Answer::Reply { raw, policy } => {
                    interaction.raw_response = Some(raw);
                    policy.and_then(|policy| self.admit(agent, constraints, policy))
                }
            };
            let judged = match proposal {
                Ok(policy) if setting.temporal => Ok((policy, None)),
                Ok(policy) => self.compare(setting, agent, &policy)?.map(|compared| (policy, compared)),
                Err(reason) => Err(reason),
            };
            // Those that are told of before a failed comparison.
            self.recorded_fallbacks(setting.iteration)?;
            match judged {
                Ok((policy, compared)) => {
                    round.successful += 1;
                    interaction.parsed_policy = Some(policy.json().clone());
                    self.emit_interaction(setting.iteration, &interaction);
                    return self.decide(setting, agent, policy, compared.as_ref());
                }
                Err(reason) => {
                    round.failed += 1;
                    interaction.parsing_error = Some(reason.clone());
                    self.emit_interaction(setting.iteration, &interaction);
                    self.commit()?;
                    last_error = Some(reason);
                }
            }
        }
        Ok(false)
    }

    fn emit_interaction(&mut self, iteration: u32, interaction: &Interaction) {
        self.journal.emit(StreamEvent::new(iteration, EventKind::Interaction, interaction.data()));
    }

    /// One call of the proposer. If its outcome is recorded the proposer only learns what it would have
    /// learnt from the call.
    fn ask(&mut self, setting: &Setting<'_>, question: &Question<'_>) -> Result<Call, RunError> {
        let Question { agent, call, constraints, last_error } = *question;
        let recorded = self.journal.interaction_ahead();
        let policies = self.in_force();
        let seed = self.seed(setting.iteration, agent);
        let experiment = &self.plan.experiment;
        let id = &experiment.optimized_agents[agent];
        let by_samples = experiment.evaluation.uses_samples();
        let journal = &mut self.journal;
        let mut ear = |piece: &str| journal.heard(id, call, piece);
        let mut experimenter = Experimenter {
            meter: Meter { lab: &self.lab, agent, policies: &policies, seed },
            evaluation: setting.evaluation,
            context: setting.context,
            ear: &mut ear,
            used: 0,
        };
        let request = Request {
            agent: id,
            current: policies[agent].json(),
            iteration: setting.iteration,
            call,
            constraints,
            history: &self.histories[agent],
            has_pool: self.lab.agents()[agent].has_pool,
            by_samples,
            advice: experiment.prompts.as_ref().and_then(|prompts| prompts.text_for(id)),
            min_settlement_rate: experiment.evaluation.criteria.min_settlement_rate,
            master_seed: &experiment.master_seed,
            last_error,
        };
        let Some(recorded) = recorded else { return self.proposer.propose(&request, &mut experimenter) };
        self.proposer.recall(&request, &mut experimenter)?;
        Ok(recorded.to_call())
    }

    /// Whether a proposal may be tried at all (10.4).
    fn admit(
        &self,
        agent: usize,
        constraints: &PolicyConstraints,
        policy: Value,
    ) -> Result<AgentPolicy, String> {
        let violations = constraints.violations(&policy);
        if !violations.is_empty() {
            return Err(violations.join("; "));
        }
        let policy = AgentPolicy::build(policy, self.plan.proposer.author())?;
        self.lab.check(agent, &policy)?;
        Ok(policy)
    }

    /// Compares a proposal with the policy in force; the inner error is that the proposal failed in it.
    /// There are no figures if the outcome is recorded.
    fn compare(
        &mut self,
        setting: &Setting<'_>,
        agent: usize,
        proposal: &AgentPolicy,
    ) -> Result<Result<Option<Compared>, String>, RunError> {
        let number = self.next_number;
        let compared = self.with_fallback(setting.iteration, |run| {
            if run.journal.is_live() {
                let Setting { iteration, evaluation, context, .. } = *setting;
                let compared = run.measure_proposal(iteration, evaluation, context, agent, proposal)?;
                return Ok(compared.map(Some));
            }
            let by_samples = run.plan.experiment.evaluation.uses_samples();
            run.numbers(if by_samples { 1 } else { 2 });
            Ok(Ok(None))
        })?;
        if compared.is_err() {
            self.take_back(number);
        }
        Ok(compared)
    }

    /// Takes or refuses a proposal, and commits what belongs to it.
    fn decide(
        &mut self,
        setting: &Setting<'_>,
        agent: usize,
        policy: AgentPolicy,
        compared: Option<&Compared>,
    ) -> Result<bool, RunError> {
        let iteration = setting.iteration;
        let decision = match compared {
            Some(compared) => {
                let verdict = compared.figures.judge(&self.plan.experiment.evaluation.criteria);
                let row =
                    self.evaluation_row(iteration, setting.evaluation, agent, &policy, compared, &verdict)?;
                let decision = Decision::of(&row);
                self.journal.writes().evaluation(row);
                decision
            }
            None if setting.temporal => Decision::without_comparison(),
            None => self.recorded_decision(),
        };
        let data = decision.data(&self.plan.experiment.optimized_agents[agent]);
        let kind = if decision.accepted { EventKind::PolicyChange } else { EventKind::PolicyRejected };
        self.journal.emit(StreamEvent::new(iteration, kind, data));
        let accepted = decision.accepted;
        if let Some((old_cost, new_cost, _)) = decision.figures {
            let current = self.policies[agent].last().map_or(Value::Null, |policy| policy.json().clone());
            self.histories[agent].comparisons.push(PastComparison {
                iteration,
                current,
                policy: policy.json().clone(),
                old_cost,
                new_cost,
                accepted,
                reason: decision.reason,
            });
        }
        if accepted {
            self.policies[agent].push(policy);
        }
        self.commit()?;
        Ok(accepted)
    }

    /// What became of a proposal whose comparison is recorded.
    fn recorded_decision(&self) -> Decision {
        let of_kind = |kind| self.journal.ahead(kind, &[]);
        let (changed, rejected) = (of_kind(EventKind::PolicyChange), of_kind(EventKind::PolicyRejected));
        Decision::recorded(changed.is_some(), changed.or(rejected).unwrap_or(&Value::Null))
    }
}

/// What became of a proposal.
struct Decision {
    accepted: bool,
    /// Cost old and new and the sum of differences, where it was compared.
    figures: Option<(i64, i64, i64)>,
    reason: String,
}

impl Decision {
    fn of(row: &PolicyEvaluation) -> Self {
        let figures = Some((row.old_cost, row.new_cost, row.delta_sum));
        Self { accepted: row.accepted, figures, reason: row.acceptance_reason.clone() }
    }

    /// Temporal mode takes everything (9.2).
    fn without_comparison() -> Self {
        Self { accepted: true, figures: None, reason: "accepted without comparison".to_owned() }
    }

    fn recorded(accepted: bool, data: &Value) -> Self {
        let cents = |key: &str| data[key].as_i64().unwrap_or_default();
        let figures = Some((cents("old_cost"), cents("new_cost"), cents("delta_sum")));
        Self { accepted, figures, reason: data["reason"].as_str().unwrap_or_default().to_owned() }
    }

    /// The fields of its event.
    fn data(&self, agent: &str) -> Value {
        let cents = |which: fn((i64, i64, i64)) -> i64| self.figures.map(which);
        json!({
            "agent_id": agent,
            "old_cost": cents(|(old, _, _)| old),
            "new_cost": cents(|(_, new, _)| new),
            "delta_sum": cents(|(_, _, sum)| sum),
            "reason": self.reason,
        })
    }
}
