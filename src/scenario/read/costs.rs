//! Cost rates (spec 01, 2.8).

use super::agents::money;
use crate::document::{Bound, Item, Reader, Value};
use crate::money::Cents;
use crate::scenario::file::default_cost_rates;
use crate::scenario::model::{CostRates, Penalty};

/// `cost_rates`.
pub(super) fn read(item: Item<'_>) -> Option<CostRates> {
    let default = default_cost_rates();
    let mut section = item.mapping()?;
    let overdraft = section.or("overdraft_bps_per_tick", default.overdraft_bps_per_tick, rate);
    let delay = section.or("delay_cost_per_tick_per_cent", default.delay_cost_per_tick_per_cent, rate);
    let collateral = section.or("collateral_cost_per_tick_bps", default.collateral_cost_per_tick_bps, rate);
    let liquidity = section.or("liquidity_cost_per_tick_bps", default.liquidity_cost_per_tick_bps, rate);
    let eod_penalty = eod_penalty(&mut section, default.eod_penalty);
    let deadline_penalty = section.or("deadline_penalty", default.deadline_penalty, penalty);
    let split_friction_cost =
        section.or("split_friction_cost", default.split_friction_cost, |item| money(&item, 0));
    let overdue = section.or("overdue_delay_multiplier", default.overdue_delay_multiplier, rate);
    let multipliers = section.nullable("priority_delay_multipliers", multipliers);
    section.finish();
    Some(CostRates {
        overdraft_bps_per_tick: overdraft?,
        delay_cost_per_tick_per_cent: delay?,
        collateral_cost_per_tick_bps: collateral?,
        liquidity_cost_per_tick_bps: liquidity?,
        eod_penalty: eod_penalty?,
        deadline_penalty: deadline_penalty?,
        split_friction_cost: split_friction_cost?,
        overdue_delay_multiplier: overdue?,
        priority_delay_multipliers: multipliers?,
    })
}

/// The penalty has two names; the longer one wins.
fn eod_penalty(section: &mut Reader<'_>, default: Penalty) -> Option<Penalty> {
    let (long, short) = (section.item("eod_penalty_per_transaction"), section.item("eod_penalty"));
    match (long, short) {
        (Some(long), short) => {
            if let Some(short) = short {
                short.warning("`eod_penalty` is ignored: `eod_penalty_per_transaction` is given too");
            }
            penalty(long)
        }
        (None, Some(short)) => penalty(short),
        (None, None) => Some(default),
    }
}

fn rate(item: Item<'_>) -> Option<f64> {
    item.float(Bound::AtLeast(0.0))
}

#[derive(Clone, Copy)]
enum Mode {
    Fixed,
    Rate,
}

fn penalty(item: Item<'_>) -> Option<Penalty> {
    match item.node.value {
        Value::Int(_) | Value::BigInt(_) => money(&item, 0).map(Penalty::Fixed),
        Value::Map(_) => {
            let mut section = item.mapping()?;
            let read = match section.alternative("mode", &[("fixed", Mode::Fixed), ("rate", Mode::Rate)])? {
                Mode::Fixed => section
                    .required("amount", |item| money(&item, 0))
                    .map(|amount: Cents| Penalty::Fixed(amount)),
                Mode::Rate => section.required("bps_per_event", rate).map(Penalty::Rate),
            };
            section.finish();
            read
        }
        _ => item.expected("an integer, or a mapping with `mode` `fixed` or `rate`", None),
    }
}

fn multipliers(item: Item<'_>) -> Option<[f64; 3]> {
    let mut section = item.mapping()?;
    let urgent = section.or("urgent_multiplier", 1.0, rate);
    let normal = section.or("normal_multiplier", 1.0, rate);
    let low = section.or("low_multiplier", 1.0, rate);
    section.finish();
    Some([urgent?, normal?, low?])
}
