//! From a scenario as written to what the engine runs.

use std::sync::Arc;

use super::check;
use super::file::{Agent, ScenarioFile};
use super::model::{
    ArrivalBand, ArrivalConfig, Arrivals, Bank, FilePayment, Scenario, ScenarioAction, ScheduledEvent,
};
use crate::document::Report;
use crate::event::Text;
use crate::finding::Findings;
use crate::ids::{BankIdx, Names};
use crate::money::Cents;

impl ScenarioFile {
    /// The scenario as the engine runs it. No text is read; programs are shared.
    ///
    /// # Errors
    /// What spec 01, 3 refuses. A scenario that was read and not changed since has none of it.
    pub fn resolve(&self) -> Result<Scenario, Findings> {
        let names = check::names(&self.agents);
        let report = Report::default();
        check::shape(self, &names, &report);
        check::banks(&self.agents, &names, &report);
        check::events(&self.events, &names, &report);
        let payments = self.payments.as_deref().unwrap_or_default();
        for (index, key, message) in check::payments(payments, self.calendar, |id| names.find(id).is_some()) {
            report.error(format!("payments_file.rows[{index}]"), format!("`{key}`: {message}"));
        }
        check::allocations(self, &report);
        check::toggles(self, &report);
        if report.has_errors() {
            return Err(report.into_findings());
        }
        let events: Option<Vec<_>> = self.events.iter().map(|event| scheduled(event, &names)).collect();
        let payments: Option<Vec<_>> = payments.iter().map(|payment| from_file(payment, &names)).collect();
        let file_order: Vec<BankIdx> = self.agents.iter().filter_map(|agent| names.find(&agent.id)).collect();
        let mut banks: Vec<Bank> = self.agents.iter().map(|agent| bank(agent, &names)).collect();
        banks.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(Scenario {
            calendar: self.calendar,
            seed: self.seed,
            names: Arc::new(names),
            banks,
            file_order,
            cost_rates: self.cost_rates.clone(),
            lsm: self.lsm_config,
            events: events.unwrap_or_default(),
            payments: payments.unwrap_or_default(),
            settings: self.settings(),
        })
    }
}

fn bank(agent: &Agent, names: &Names) -> Bank {
    let mut bilateral_limits: Vec<(BankIdx, Cents)> = indexed(&agent.limits.bilateral, names);
    bilateral_limits.sort_by_key(|(receiver, _)| *receiver);
    Bank {
        id: Text::clone(&agent.id),
        opening_balance: agent.opening_balance,
        unsecured_cap: agent.unsecured_cap,
        collateral_capacity: agent.collateral_capacity(),
        posted_collateral: agent.posted_collateral,
        haircut: agent.collateral_haircut,
        bilateral_limits,
        multilateral_limit: agent.limits.multilateral,
        pool: agent.liquidity_pool,
        fraction: agent.fraction(),
        arrivals: arrivals(&agent.arrivals, names),
        policy: Arc::clone(agent.policy.program()),
    }
}

/// Ids to indices; a band may name a bank that does not exist, which has no effect.
fn indexed<T: Copy>(named: &[(Text, T)], names: &Names) -> Vec<(BankIdx, T)> {
    named.iter().filter_map(|(id, value)| Some((names.find(id)?, *value))).collect()
}

fn arrivals(arrivals: &Arrivals<Text>, names: &Names) -> Arrivals {
    match arrivals {
        Arrivals::None => Arrivals::None,
        Arrivals::Single(config) => Arrivals::Single(ArrivalConfig {
            rate_per_tick: config.rate_per_tick,
            amounts: config.amounts,
            counterparty_weights: indexed(&config.counterparty_weights, names),
            deadline_range: config.deadline_range,
            priorities: config.priorities.clone(),
            divisible: config.divisible,
        }),
        Arrivals::Bands(bands) => Arrivals::Bands(bands.each_ref().map(|band| {
            band.as_ref().map(|band| ArrivalBand {
                rate_per_tick: band.rate_per_tick,
                amounts: band.amounts,
                counterparty_weights: indexed(&band.counterparty_weights, names),
                deadline_range: band.deadline_range,
                divisible: band.divisible,
            })
        })),
    }
}

fn from_file(payment: &FilePayment<Text>, names: &Names) -> Option<FilePayment> {
    Some(FilePayment {
        tick: payment.tick,
        sender: names.find(&payment.sender)?,
        receiver: names.find(&payment.receiver)?,
        amount: payment.amount,
        priority: payment.priority,
        deadline: payment.deadline,
    })
}

fn scheduled(event: &ScheduledEvent<Text>, names: &Names) -> Option<ScheduledEvent> {
    let index = |id: &Text| names.find(id);
    let action = match &event.action {
        ScenarioAction::DirectTransfer { from, to, amount } => {
            ScenarioAction::DirectTransfer { from: index(from)?, to: index(to)?, amount: *amount }
        }
        ScenarioAction::CustomArrival { from, to, amount, priority, deadline, is_divisible } => {
            ScenarioAction::CustomArrival {
                from: index(from)?,
                to: index(to)?,
                amount: *amount,
                priority: *priority,
                deadline: *deadline,
                is_divisible: *is_divisible,
            }
        }
        ScenarioAction::CollateralAdjustment { agent, delta } => {
            ScenarioAction::CollateralAdjustment { agent: index(agent)?, delta: *delta }
        }
        ScenarioAction::GlobalArrivalRate { multiplier } => {
            ScenarioAction::GlobalArrivalRate { multiplier: *multiplier }
        }
        ScenarioAction::AgentArrivalRate { agent, multiplier } => {
            ScenarioAction::AgentArrivalRate { agent: index(agent)?, multiplier: *multiplier }
        }
        ScenarioAction::CounterpartyWeight { agent, counterparty, new_weight, auto_balance_others } => {
            ScenarioAction::CounterpartyWeight {
                agent: index(agent)?,
                counterparty: index(counterparty)?,
                new_weight: *new_weight,
                auto_balance_others: *auto_balance_others,
            }
        }
        ScenarioAction::DeadlineWindow { min_multiplier, max_multiplier } => ScenarioAction::DeadlineWindow {
            min_multiplier: *min_multiplier,
            max_multiplier: *max_multiplier,
        },
        ScenarioAction::ScheduledSettlement { from, to, amount } => {
            ScenarioAction::ScheduledSettlement { from: index(from)?, to: index(to)?, amount: *amount }
        }
    };
    Some(ScheduledEvent { action, schedule: event.schedule })
}
