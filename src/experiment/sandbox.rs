//! The sandbox: one agent with a sample of its payments, everybody else a source or a sink (spec 07, 7; X3).

use super::policies::AgentPolicy;
use super::sampler::Sample;
use crate::event::Text;
use crate::ids::{BankIdx, Names};
use crate::money::Cents;
use crate::scenario::{Agent, Arrivals, Policy, ScenarioAction, ScenarioFile, Schedule, ScheduledEvent};
use crate::time::{Calendar, Tick};

/// The part of a sandbox that all samples and policies of an agent share.
#[derive(Clone, Debug)]
pub struct Sandbox {
    /// Source, agent and sinks; seed, funds of the source, policy and events are still to be set.
    template: ScenarioFile,
    agent: Text,
    bank: BankIdx,
    /// Ids of the banks of the scenario by index: samples name banks so.
    ids: Vec<Text>,
    ticks: u64,
}

impl Sandbox {
    /// The sandbox of an agent of a scenario for days of `ticks` ticks; `sink` is the policy of all others.
    /// `None` if the scenario has no such bank.
    #[must_use]
    pub fn new(scenario: &ScenarioFile, agent: &str, ticks: u64, sink: &Policy) -> Option<Self> {
        let own = scenario.agent(agent)?;
        let mut source = String::from("SOURCE");
        while scenario.agent(&source).is_some() {
            source.insert(0, '_');
        }
        let mut banks = vec![Agent::new(source.into(), Cents::ZERO, sink.clone())];
        banks.extend(scenario.agents.iter().map(|bank| {
            if bank.id == own.id {
                Agent { arrivals: Arrivals::None, ..own.clone() }
            } else {
                Agent::new(bank.id.clone(), Cents::ZERO, sink.clone())
            }
        }));
        let fresh = ScenarioFile::new(Calendar { ticks_per_day: ticks, num_days: 1 }, 0, banks);
        let template = ScenarioFile {
            cost_rates: scenario.cost_rates.clone(),
            lsm_config: scenario.lsm_config,
            deferred_crediting: scenario.deferred_crediting,
            deadline_cap_at_eod: scenario.deadline_cap_at_eod,
            queue1_ordering: scenario.queue1_ordering,
            priority_mode: scenario.priority_mode,
            priority_escalation: scenario.priority_escalation,
            algorithm_sequencing: scenario.algorithm_sequencing,
            entry_disposition_offsetting: scenario.entry_disposition_offsetting,
            eod_rush_threshold: scenario.eod_rush_threshold,
            daily_liquidity_reallocation: scenario.daily_liquidity_reallocation,
            ..fresh
        };
        let ids = Names::new(scenario.agents.iter().map(|bank| bank.id.clone())).ids().to_vec();
        let bank = Names::new(template.agents.iter().map(|bank| bank.id.clone())).find(agent)?;
        Some(Self { template, agent: own.id.clone(), bank, ids, ticks })
    }

    /// Where the agent stands among the banks of the sandbox.
    #[must_use]
    pub const fn bank(&self) -> BankIdx {
        self.bank
    }

    /// The scenario of a sample under a policy.
    #[must_use]
    pub fn scenario(&self, sample: &Sample, policy: &AgentPolicy) -> ScenarioFile {
        let mut scenario = self.template.clone();
        scenario.seed = sample.seed;
        let funds = sample.incoming.iter().fold(Cents::ZERO, |sum, item| sum.saturating_add(item.amount));
        if let Some(source) = scenario.agents.first_mut() {
            source.opening_balance = funds;
        }
        if let Some(own) = scenario.agents.iter_mut().find(|bank| bank.id == self.agent) {
            policy.apply_to(own);
        }
        scenario.events = self.events(sample);
        scenario
    }

    fn events(&self, sample: &Sample) -> Vec<ScheduledEvent<Text>> {
        let source = self.template.agents.first().map_or_else(|| Text::from(""), |bank| bank.id.clone());
        let last = self.ticks.saturating_sub(1);
        let shift = u64::from(self.template.deferred_crediting);
        let outgoing = sample.outgoing.iter().map(|item| ScheduledEvent {
            action: ScenarioAction::CustomArrival {
                from: self.agent.clone(),
                to: self.ids[item.counterparty.at()].clone(),
                amount: item.amount,
                priority: item.priority,
                deadline: Some(ticks_to_deadline(item.deadline, item.arrival)),
                is_divisible: false,
            },
            schedule: Schedule::OneTime { tick: Tick(item.arrival) },
        });
        let incoming = sample.incoming.iter().filter_map(|item| {
            let tick = Tick(item.settlement?.saturating_add(shift).min(last));
            Some(ScheduledEvent {
                action: ScenarioAction::ScheduledSettlement {
                    from: source.clone(),
                    to: self.agent.clone(),
                    amount: item.amount,
                },
                schedule: Schedule::OneTime { tick },
            })
        });
        outgoing.chain(incoming).collect()
    }
}

/// At least one tick; the deadline of a part may lie before its arrival.
fn ticks_to_deadline(deadline: i64, arrival: u64) -> u64 {
    u64::try_from(deadline).unwrap_or(0).saturating_sub(arrival).max(1)
}
