//! The banks of a scenario (spec 01, 2.3 and 5.3).

use std::collections::HashSet;
use std::sync::Arc;

use super::arrivals;
use crate::document::{Bound, Item, shortened};
use crate::event::Text;
use crate::money::Cents;
use crate::scenario::file::{Agent, DEFAULT_HAIRCUT, Limits};
use crate::scenario::policy::Policy;

/// The banks with Fifo policies, and the policies that are still to be read, also those of banks that
/// have something wrong.
pub(super) struct Banks<'a> {
    /// The banks, if nothing is wrong with any of them.
    pub agents: Option<Vec<Agent>>,
    /// The policies in the order of the file.
    pub policies: Vec<PolicyItem<'a>>,
}

/// The policy of a bank that is still to be read.
pub(super) struct PolicyItem<'a> {
    /// The bank for messages: its id, or its place if that cannot be read.
    pub bank: String,
    /// `policy`, if it has one.
    pub item: Option<Item<'a>>,
}

/// `agents`.
pub(super) fn read(item: Item<'_>) -> Option<Banks<'_>> {
    let items = item.list()?;
    if items.is_empty() {
        item.error("a scenario needs at least one bank");
        return None;
    }
    let mut ids = HashSet::new();
    let mut policies = Vec::new();
    let read: Vec<_> = items.into_iter().map(|item| agent(item, &mut ids, &mut policies)).collect();
    Some(Banks { agents: read.into_iter().collect(), policies })
}

fn agent<'a>(
    item: Item<'a>,
    ids: &mut HashSet<&'a str>,
    policies: &mut Vec<PolicyItem<'a>>,
) -> Option<Agent> {
    let place = item.path.clone();
    let mut section = item.mapping()?;
    let id = section.required("id", |item| bank_id(&item, ids));
    let opening_balance = section.required("opening_balance", |item| money(&item, i64::MIN));
    let unsecured_cap = section.or("unsecured_cap", Cents::ZERO, |item| money(&item, 0));
    let bank = id.as_deref().map_or(place, str::to_owned);
    policies.push(PolicyItem { bank, item: section.item("policy") });
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
    Some(Agent {
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
    })
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
