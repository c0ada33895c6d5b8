//! One round: every agent in turn is offered better policies (spec 07, 9.1, 9.2 and 10.1).

use serde_json::{Value, json};

use super::super::evaluate::RunError;
use super::super::file::Mode;
use super::super::policies::{AgentPolicy, DEFAULT_FRACTION};
use super::super::proposers::{Answer, Call, PastComparison, Request};
use super::super::stream::{EventKind, Interaction, StreamEvent};
use super::Run;
use super::compare::Compared;
use super::measure::{Context, Evaluation};
use super::workbench::{Experimenter, Meter};

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

/// What everybody in a round goes by.
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
            if self.plan.experiment.policy_constraints.is_some() {
                round.accepted[agent] = self.improve(&setting, agent, &mut round)?;
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
    fn improve(&mut self, setting: &Setting<'_>, agent: usize, round: &mut Round) -> Result<bool, RunError> {
        let mut last_error: Option<String> = None;
        for call in 1..=self.plan.experiment.max_retries() {
            let mut interaction = Interaction {
                agent: self.plan.experiment.optimized_agents[agent].clone(),
                call,
                model: self.plan.proposer.model(),
                ..Interaction::default()
            };
            let Call { answer, exchange } = self.ask(setting, agent, call, last_error.as_deref())?;
            round.prompt_tokens += exchange.prompt_tokens;
            round.completion_tokens += exchange.completion_tokens;
            interaction.exchange = exchange;
            let proposal = match answer {
                Answer::Declined => {
                    round.successful += 1;
                    self.emit_interaction(setting.iteration, &interaction);
                    self.journal.commit(&self.lab)?;
                    return Ok(false);
                }
                Answer::Failed(reason) => Err(reason),
                Answer::Reply { raw, policy } => {
                    interaction.raw_response = Some(raw);
                    policy.and_then(|policy| self.admit(agent, policy))
                }
            };
            let judged = match proposal {
                Ok(policy) if setting.temporal => Ok((policy, None)),
                Ok(policy) => self.compare(setting, agent, &policy)?.map(|compared| (policy, Some(compared))),
                Err(reason) => Err(reason),
            };
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
                    self.journal.commit(&self.lab)?;
                    last_error = Some(reason);
                }
            }
        }
        Ok(false)
    }

    fn emit_interaction(&mut self, iteration: u32, interaction: &Interaction) {
        self.journal.emit(StreamEvent::new(iteration, EventKind::Interaction, interaction.data()));
    }

    /// One call of the proposer.
    fn ask(
        &mut self,
        setting: &Setting<'_>,
        agent: usize,
        call: u32,
        last_error: Option<&str>,
    ) -> Result<Call, RunError> {
        let policies = self.in_force();
        let (seed, context_seed) = (self.seed(setting.iteration, agent), self.seed(setting.iteration, 0));
        let experiment = &self.plan.experiment;
        let Some(constraints) = &experiment.policy_constraints else { return Ok(Answer::Declined.into()) };
        let samples = setting.context.map_or(&[][..], |context| &context.samples[agent]);
        let id = &experiment.optimized_agents[agent];
        let journal = &mut self.journal;
        let mut ear = |piece: &str| journal.heard(id, call, piece);
        let mut experimenter = Experimenter {
            meter: Meter { lab: &self.lab, agent, policies: &policies, samples, seed },
            context_seed,
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
            by_samples: !samples.is_empty(),
            advice: experiment.prompts.as_ref().and_then(|prompts| prompts.text_for(id)),
            min_settlement_rate: experiment.evaluation.criteria.min_settlement_rate,
            master_seed: &experiment.master_seed,
            last_error,
        };
        self.proposer.propose(&request, &mut experimenter)
    }

    /// Whether a proposal may be tried at all (10.4).
    fn admit(&self, agent: usize, policy: Value) -> Result<AgentPolicy, String> {
        if let Some(constraints) = &self.plan.experiment.policy_constraints {
            let violations = constraints.violations(&policy);
            if !violations.is_empty() {
                return Err(violations.join("; "));
            }
        }
        let policy = AgentPolicy::build(policy, self.plan.proposer.author())?;
        self.lab.check(agent, &policy)?;
        Ok(policy)
    }

    /// Compares a proposal with the policy in force; the inner error is that the proposal failed in it.
    fn compare(
        &mut self,
        setting: &Setting<'_>,
        agent: usize,
        proposal: &AgentPolicy,
    ) -> Result<Result<Compared, String>, RunError> {
        let number = self.next_number;
        let compared = self.with_fallback(setting.iteration, |run| {
            run.measure_proposal(setting.iteration, setting.evaluation, setting.context, agent, proposal)
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
        let id = &self.plan.experiment.optimized_agents[agent];
        let Some(compared) = compared else {
            let data = json!({
                "agent_id": id, "old_cost": null, "new_cost": null, "delta_sum": null,
                "reason": "accepted without comparison",
            });
            self.journal.emit(StreamEvent::new(setting.iteration, EventKind::PolicyChange, data));
            self.policies[agent].push(policy);
            self.journal.commit(&self.lab)?;
            return Ok(true);
        };
        let verdict = compared.figures.judge(&self.plan.experiment.evaluation.criteria);
        let row =
            self.evaluation_row(setting.iteration, setting.evaluation, agent, &policy, compared, &verdict)?;
        let data = json!({
            "agent_id": id, "old_cost": row.old_cost, "new_cost": row.new_cost, "delta_sum": row.delta_sum,
            "reason": verdict.reason,
        });
        let kind = if verdict.accepted { EventKind::PolicyChange } else { EventKind::PolicyRejected };
        self.journal.emit(StreamEvent::new(setting.iteration, kind, data));
        let current = self.policies[agent].last().map_or(Value::Null, |policy| policy.json().clone());
        self.histories[agent].comparisons.push(PastComparison {
            iteration: setting.iteration,
            current,
            policy: policy.json().clone(),
            old_cost: row.old_cost,
            new_cost: row.new_cost,
            accepted: verdict.accepted,
            reason: verdict.reason,
        });
        self.journal.writes().evaluation(row);
        if verdict.accepted {
            self.policies[agent].push(policy);
        }
        self.journal.commit(&self.lab)?;
        Ok(verdict.accepted)
    }
}
