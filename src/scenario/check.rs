//! Checks across a scenario (spec 01, 3), for scenarios from files and for those built in code.

use std::sync::Arc;

use super::file::{Agent, ScenarioFile};
use super::model::{Arrivals, FilePayment, ScenarioAction, ScheduledEvent};
use crate::document::{Report, shortened};
use crate::event::Text;
use crate::finding::{meant, nearest};
use crate::ids::Names;
use crate::money::Cents;
use crate::time::Calendar;

/// The names of all banks.
pub(super) fn names(agents: &[Agent]) -> Names {
    Names::new(agents.iter().map(|agent| Arc::clone(&agent.id)))
}

/// The first checks: banks in the order of the file.
pub(super) fn banks(agents: &[Agent], names: &Names, report: &Report) {
    for (index, agent) in agents.iter().enumerate() {
        let path = format!("agents[{index}]");
        if let Arrivals::Single(config) = &agent.arrivals {
            for (id, _) in &config.counterparty_weights {
                let path = || format!("{path}.arrival_config.counterparty_weights.{id}");
                known(id, names, path, report);
            }
        }
        if agent.arrivals != Arrivals::None && names.len() < 2 {
            let message = format!("bank `{}` has arrivals, but there is no other bank to pay", agent.id);
            report.error(&*path, message);
        }
        let capacity = agent.collateral_capacity();
        if agent.posted_collateral > capacity {
            let message = format!(
                "bank `{}` posts {}, above its collateral capacity {}",
                agent.id,
                agent.posted_collateral.get(),
                capacity.get()
            );
            report.error(format!("{path}.posted_collateral"), message);
        }
        for (id, _) in &agent.limits.bilateral {
            known(id, names, || format!("{path}.limits.bilateral_limits.{id}"), report);
        }
    }
}

/// A bank that the scenario has; else a finding.
fn known(id: &str, names: &Names, path: impl FnOnce() -> String, report: &Report) -> bool {
    let known = names.find(id).is_some();
    if !known {
        let near = meant(nearest(id, names.ids().iter().map(|id| &**id)));
        report.error(path(), format!("the scenario has no bank `{}`{near}", shortened(id)));
    }
    known
}

/// Then the events in their order.
pub(super) fn events(events: &[ScheduledEvent<Text>], names: &Names, report: &Report) {
    for (index, event) in events.iter().enumerate() {
        let sides = match &event.action {
            ScenarioAction::DirectTransfer { from, to, .. }
            | ScenarioAction::CustomArrival { from, to, .. }
            | ScenarioAction::ScheduledSettlement { from, to, .. } => {
                [Some(("from_agent", from)), Some(("to_agent", to))]
            }
            ScenarioAction::CounterpartyWeight { agent, counterparty, .. } => {
                [Some(("agent", agent)), Some(("counterparty", counterparty))]
            }
            ScenarioAction::CollateralAdjustment { agent, .. }
            | ScenarioAction::AgentArrivalRate { agent, .. } => [Some(("agent", agent)), None],
            ScenarioAction::GlobalArrivalRate { .. } | ScenarioAction::DeadlineWindow { .. } => [None, None],
        };
        for (key, id) in sides.into_iter().flatten() {
            known(id, names, || format!("scenario_events[{index}].{key}"), report);
        }
        if let [Some((first, one)), Some((second, other))] = sides
            && one == other
        {
            let message = format!("`{first}` and `{second}` are the same bank `{}`", shortened(one));
            report.error(format!("scenario_events[{index}].{second}"), message);
        }
    }
}

/// Then the payments of a file: index, key and what is wrong with it.
pub(super) fn payments(
    payments: &[FilePayment<Text>],
    calendar: Calendar,
    is_known: impl Fn(&Text) -> bool,
) -> Vec<(usize, &'static str, String)> {
    let mut faults = Vec::new();
    let end = calendar.end();
    for (index, payment) in payments.iter().enumerate() {
        for (key, id) in [("sender", &payment.sender), ("receiver", &payment.receiver)] {
            if !is_known(id) {
                faults.push((index, key, format!("the scenario has no bank `{}`", shortened(id))));
            }
        }
        if payment.sender == payment.receiver {
            faults.push((index, "receiver", "the sender can not be the receiver".to_owned()));
        }
        if payment.tick >= end {
            let last = end.0.saturating_sub(1);
            faults.push((index, "tick", format!("{} is no tick of the run, 0 to {last}", payment.tick)));
        }
        if payment.amount < Cents(1) {
            faults.push((index, "amount", format!("{} is below 1", payment.amount.get())));
        }
        if payment.priority > 10 {
            faults.push((index, "priority", format!("{} is not 0 to 10", payment.priority)));
        }
        if let Some(deadline) = payment.deadline.filter(|deadline| *deadline <= payment.tick) {
            let message = format!("tick {deadline} is not after the arrival in tick {}", payment.tick);
            faults.push((index, "deadline", message));
        }
    }
    faults
}

/// Then liquidity: the fraction lies in 0 to 1, the starting balance within 64 bits (C7).
pub(super) fn allocations(file: &ScenarioFile, report: &Report) {
    for (index, agent) in file.agents.iter().enumerate() {
        let fraction = agent.fraction();
        if !(0.0..=1.0).contains(&fraction) {
            let message = format!("bank `{}`: the liquidity fraction {fraction} is not 0 to 1", agent.id);
            report.error(format!("agents[{index}].liquidity_allocation_fraction"), message);
        } else if starting_balance(agent).is_none() {
            let message = format!("bank `{}`: the starting balance is beyond 64 bits", agent.id);
            report.error(format!("agents[{index}].opening_balance"), message);
        }
    }
}

fn starting_balance(agent: &Agent) -> Option<i64> {
    /// 2^63, the first amount that a 64-bit number can not hold.
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    let pool = agent.liquidity_pool.map_or(0.0, |pool| (pool.get() as f64 * agent.fraction()).floor());
    (pool < BEYOND).then(|| agent.opening_balance.get().checked_add(pool as i64)).flatten()
}

/// At last the toggles, held against the policies of all banks (C5).
pub(super) fn toggles(file: &ScenarioFile, report: &Report) {
    let toggles = &file.policy_feature_toggles;
    if *toggles == crate::policy::Toggles::Everything {
        return;
    }
    for (index, agent) in file.agents.iter().enumerate() {
        let forbidden = toggles.forbidden(&agent.policy.document().categories());
        if !forbidden.is_empty() {
            let message = format!("bank `{}`: {}", agent.id, toggles.refusal(&forbidden));
            report.error(format!("agents[{index}].policy"), message);
        }
    }
}

/// What only a scenario built in code can have wrong.
pub(super) fn shape(file: &ScenarioFile, names: &Names, report: &Report) {
    let Calendar { ticks_per_day, num_days } = file.calendar;
    let ticks = ticks_per_day.checked_mul(num_days).and_then(|ticks| i64::try_from(ticks).ok());
    if ticks_per_day == 0 || num_days == 0 || ticks.is_none() {
        report.error("simulation", "the run must have 1 to 9223372036854775807 ticks");
    }
    if file.agents.is_empty() || names.len() != file.agents.len() {
        report.error("agents", "at least one bank is needed, and every id only once");
    }
}
