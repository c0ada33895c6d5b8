//! The banks of a scenario (spec 01, 2.3 and 5.3).

use std::collections::HashSet;
use std::sync::Arc;

use super::arrivals;
use crate::document::{Bound, Item, shortened};
use crate::event::Text;
use crate::money::Cents;
use crate::scenario::file::{Agent, DEFAULT_HAIRCUT, Limits};
use crate::scenario::policy::Policy;

/// The banks with Fifo policies, and the policies that are still to be read.
pub(super) fn read(item: Item<'_>) -> Option<(Vec<Agent>, Vec<Option<Item<'_>>>)> {
    let items = item.list()?;
    if items.is_empty() {
        item.error("a scenario needs at least one bank");
        return None;
    }
    let mut ids = HashSet::new();
    let read: Vec<Option<_>> = items.into_iter().map(|item| agent(item, &mut ids)).collect();
    let read: Option<Vec<_>> = read.into_iter().collect();
    read.map(|agents| agents.into_iter().unzip())
}

fn agent<'a>(item: Item<'a>, ids: &mut HashSet<&'a str>) -> Option<(Agent, Option<Item<'a>>)> {
    let mut section = item.mapping()?;
    let id = section.required("id", |item| bank_id(&item, ids));
    let opening_balance = section.required("opening_balance", |item| money(&item, i64::MIN));
    let unsecured_cap = section.or("unsecured_cap", Cents::ZERO, |item| money(&item, 0));
    let policy = section.item("policy");
    let single = section.nullable("arrival_config", arrivals::config);
    let bands = section.nullable("arrival_bands", arrivals::bands);
    let max_collateral_capacity = section.nullable("max_collateral_capacity", |item| money(&item, 0));
    let posted_collateral = section.nullable("posted_collateral", |item| money(&item, 0));
    let haircut = section.nullable("collateral_haircut", fraction);
    let limits = section.nullable("limits", limits);
    let pool = section.nullable("liquidity_pool", |item| money(&item, 0));
    let allocation_fraction = section.nullable("liquidity_allocation_fraction", fraction);
    if let (Some(Some(_)), Some(Some(_))) = (&single, &bands) {
        section.error("`arrival_config` and `arrival_bands` exclude each other; give one of them");
    }
    section.finish();
    let agent = Agent {
        id: id?,
        opening_balance: opening_balance?,
        unsecured_cap: unsecured_cap?,
        policy: Policy::fifo().ok()?,
        arrivals: arrivals::either(single?, bands?),
        max_collateral_capacity: max_collateral_capacity?,
        posted_collateral: posted_collateral?.unwrap_or(Cents::ZERO),
        collateral_haircut: haircut?.unwrap_or(DEFAULT_HAIRCUT),
        limits: limits?.unwrap_or_default(),
        liquidity_pool: pool?,
        liquidity_allocation_fraction: allocation_fraction?,
    };
    Some((agent, policy))
}

/// Blanks around an id belong to it.
fn bank_id<'a>(item: &Item<'a>, ids: &mut HashSet<&'a str>) -> Option<Text> {
    let id = item.str()?;
    if id.trim().is_empty() {
        item.error("a bank's id may not be empty or blank");
        return None;
    }
    if !ids.insert(id) {
        item.error(format!("bank `{}` is given twice; ids must be unique", shortened(id)));
        return None;
    }
    Some(Arc::from(id))
}

/// Cents, at least `low`.
pub(super) fn money(item: &Item<'_>, low: i64) -> Option<Cents> {
    item.integer(low..=i64::MAX).map(Cents)
}

fn fraction(item: Item<'_>) -> Option<f64> {
    item.float(Bound::Within(0.0, 1.0))
}

fn limits(item: Item<'_>) -> Option<Limits> {
    let mut section = item.mapping()?;
    let bilateral = section.nullable("bilateral_limits", |item| {
        let read = |(id, item): (&str, Item<'_>)| Some((Text::from(id), money(&item, 0)?));
        let limits: Vec<Option<_>> = item.named()?.into_iter().map(read).collect();
        limits.into_iter().collect::<Option<Vec<_>>>()
    });
    let multilateral = section.nullable("multilateral_limit", |item| money(&item, 0));
    section.finish();
    Some(Limits { bilateral: bilateral?.unwrap_or_default(), multilateral: multilateral? })
}
