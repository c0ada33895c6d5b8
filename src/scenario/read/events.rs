//! Scheduled events (spec 01, 2.10; 05, 5).

use super::agents::money;
use super::arrivals::{DEFAULT_PRIORITY, priority};
use crate::document::{Bound, Item, Reader};
use crate::event::Text;
use crate::money::Cents;
use crate::scenario::model::{ScenarioAction, Schedule, ScheduledEvent};
use crate::time::Tick;

/// `scenario_events`.
pub(super) fn read(item: Item<'_>) -> Option<Vec<ScheduledEvent<Text>>> {
    item.list_of(event)
}

#[derive(Clone, Copy)]
enum Type {
    DirectTransfer,
    CustomArrival,
    CollateralAdjustment,
    GlobalArrivalRate,
    AgentArrivalRate,
    CounterpartyWeight,
    DeadlineWindow,
    ScheduledSettlement,
}

const TYPES: [(&str, Type); 8] = [
    ("DirectTransfer", Type::DirectTransfer),
    ("CustomTransactionArrival", Type::CustomArrival),
    ("CollateralAdjustment", Type::CollateralAdjustment),
    ("GlobalArrivalRateChange", Type::GlobalArrivalRate),
    ("AgentArrivalRateChange", Type::AgentArrivalRate),
    ("CounterpartyWeightChange", Type::CounterpartyWeight),
    ("DeadlineWindowChange", Type::DeadlineWindow),
    ("ScheduledSettlement", Type::ScheduledSettlement),
];

fn event(item: Item<'_>) -> Option<ScheduledEvent<Text>> {
    let mut entry = item.mapping()?;
    let kind = entry.alternative("type", &TYPES);
    let schedule = entry.required("schedule", schedule);
    let action = action(kind?, &mut entry);
    entry.finish();
    Some(ScheduledEvent { action: action?, schedule: schedule? })
}

fn action(kind: Type, entry: &mut Reader<'_>) -> Option<ScenarioAction<Text>> {
    match kind {
        Type::DirectTransfer => {
            let (from, to, amount) = transfer(entry)?;
            Some(ScenarioAction::DirectTransfer { from, to, amount })
        }
        Type::ScheduledSettlement => {
            let (from, to, amount) = transfer(entry)?;
            Some(ScenarioAction::ScheduledSettlement { from, to, amount })
        }
        Type::CustomArrival => custom_arrival(entry),
        Type::CollateralAdjustment => {
            let agent = bank(entry, "agent");
            let delta = entry.required("delta", |item| money(&item, i64::MIN));
            Some(ScenarioAction::CollateralAdjustment { agent: agent?, delta: delta? })
        }
        Type::GlobalArrivalRate => {
            let multiplier = entry.required("multiplier", multiplier);
            Some(ScenarioAction::GlobalArrivalRate { multiplier: multiplier? })
        }
        Type::AgentArrivalRate => {
            let agent = bank(entry, "agent");
            let multiplier = entry.required("multiplier", multiplier);
            Some(ScenarioAction::AgentArrivalRate { agent: agent?, multiplier: multiplier? })
        }
        Type::CounterpartyWeight => counterparty_weight(entry),
        Type::DeadlineWindow => deadline_window(entry),
    }
}

fn transfer(entry: &mut Reader<'_>) -> Option<(Text, Text, Cents)> {
    let (from, to) = (bank(entry, "from_agent"), bank(entry, "to_agent"));
    let amount = entry.required("amount", |item| money(&item, 1));
    Some((from?, to?, amount?))
}

fn custom_arrival(entry: &mut Reader<'_>) -> Option<ScenarioAction<Text>> {
    let transfer = transfer(entry);
    let priority = entry.nullable("priority", |item| priority(&item));
    let deadline = entry.nullable("deadline", |item| item.integer(1..=i64::MAX).map(i64::unsigned_abs));
    let is_divisible = entry.nullable("is_divisible", Item::boolean);
    let (from, to, amount) = transfer?;
    Some(ScenarioAction::CustomArrival {
        from,
        to,
        amount,
        priority: priority?.unwrap_or(DEFAULT_PRIORITY),
        deadline: deadline?,
        is_divisible: is_divisible?.unwrap_or(false),
    })
}

fn counterparty_weight(entry: &mut Reader<'_>) -> Option<ScenarioAction<Text>> {
    let (agent, counterparty) = (bank(entry, "agent"), bank(entry, "counterparty"));
    let new_weight = entry.required("new_weight", |item| item.float(Bound::Within(0.0, 1.0)));
    let auto_balance_others = entry.or("auto_balance_others", false, Item::boolean);
    Some(ScenarioAction::CounterpartyWeight {
        agent: agent?,
        counterparty: counterparty?,
        new_weight: new_weight?,
        auto_balance_others: auto_balance_others?,
    })
}

fn deadline_window(entry: &mut Reader<'_>) -> Option<ScenarioAction<Text>> {
    let min_multiplier = entry.nullable("min_ticks_multiplier", multiplier);
    let max_multiplier = entry.nullable("max_ticks_multiplier", multiplier);
    let (min_multiplier, max_multiplier) = (min_multiplier?, max_multiplier?);
    if min_multiplier.is_none() && max_multiplier.is_none() {
        entry.error("`min_ticks_multiplier` or `max_ticks_multiplier` is needed");
        return None;
    }
    Some(ScenarioAction::DeadlineWindow { min_multiplier, max_multiplier })
}

fn bank(entry: &mut Reader<'_>, key: &'static str) -> Option<Text> {
    entry.required(key, |item| item.str().map(Text::from))
}

fn multiplier(item: Item<'_>) -> Option<f64> {
    item.float(Bound::Above(0.0))
}

#[derive(Clone, Copy)]
enum ScheduleType {
    OneTime,
    Repeating,
}

const SCHEDULE_TYPES: [(&str, ScheduleType); 2] =
    [("OneTime", ScheduleType::OneTime), ("Repeating", ScheduleType::Repeating)];

fn schedule(item: Item<'_>) -> Option<Schedule> {
    let mut section = item.mapping()?;
    let tick = |item: Item<'_>| item.integer(0..=i64::MAX).map(|tick| Tick(tick.unsigned_abs()));
    let read = match section.alternative("type", &SCHEDULE_TYPES)? {
        ScheduleType::OneTime => section.required("tick", tick).map(|tick| Schedule::OneTime { tick }),
        ScheduleType::Repeating => {
            let start = section.required("start_tick", tick);
            let interval =
                section.required("interval", |item| item.integer(1..=i64::MAX).map(i64::unsigned_abs));
            start.zip(interval).map(|(start_tick, interval)| Schedule::Repeating { start_tick, interval })
        }
    };
    section.finish();
    read
}
