//! The root of a scenario and its small sections (spec 01, 2.1, 2.2, 2.9, 2.11, 5.2).

use std::collections::BTreeSet;

use super::agents::{Banks, PolicyItem};
use super::payments::PaymentsItem;
use super::{agents, arrivals, check, costs, events};
use crate::document::{Bound, Item, Reader, Report};
use crate::event::Text;
use crate::policy::{Category, CostCategory, Toggles};
use crate::scenario::file::{
    Agent, DEFAULT_EOD_RUSH, PriorityEscalation, ScenarioFile, default_cost_rates, default_lsm_config,
};
use crate::scenario::model::{Escalation, LsmAlgorithm, LsmConfig, Queue1Ordering, ScheduledEvent};
use crate::time::Calendar;

/// The sections by themselves, and what is read after them.
pub(super) struct Sections<'a> {
    /// The scenario, if no section has an error; policies are Fifo and there are no payments yet.
    pub file: Option<ScenarioFile>,
    /// The policy of each bank.
    pub policies: Vec<PolicyItem<'a>>,
    /// `payments_file`.
    pub payments: Option<PaymentsItem<'a>>,
}

/// All sections, and what can be checked across banks and events.
pub(super) fn read<'a>(mut root: Reader<'a>, report: &Report) -> Sections<'a> {
    let simulation = root.required("simulation", simulation);
    let (mut agents, policies) = match root.required("agents", agents::read) {
        Some(Banks { agents, policies }) => (agents, policies),
        None => (None, Vec::new()),
    };
    let cost_rates = root.or("cost_rates", default_cost_rates(), costs::read);
    let lsm_config = root.or("lsm_config", default_lsm_config(), lsm_config);
    let events = root.nullable("scenario_events", events::read);
    let payments = root.nullable("payments_file", |item| Some(PaymentsItem(item)));
    let deferred_crediting = root.or("deferred_crediting", false, Item::boolean);
    let deadline_cap_at_eod = root.or("deadline_cap_at_eod", false, Item::boolean);
    let queue1_ordering =
        root.or("queue1_ordering", Queue1Ordering::Fifo, |item| item.one_of(&QUEUE1_ORDERS));
    let priority_mode = root.or("priority_mode", false, Item::boolean);
    let priority_escalation = root.nullable("priority_escalation", priority_escalation);
    let algorithm_sequencing = root.or("algorithm_sequencing", false, Item::boolean);
    let entry_disposition_offsetting = root.or("entry_disposition_offsetting", false, Item::boolean);
    let eod_rush_threshold =
        root.or("eod_rush_threshold", DEFAULT_EOD_RUSH, |item| item.float(Bound::Within(0.0, 1.0)));
    let daily_liquidity_reallocation = root.or("daily_liquidity_reallocation", true, Item::boolean);
    let policy_feature_toggles =
        root.nullable("policy_feature_toggles", |item| toggles(item, Category::ALL, Category::name));
    let cost_feature_toggles =
        root.nullable("cost_feature_toggles", |item| toggles(item, CostCategory::ALL, CostCategory::name));
    root.finish();
    if let Some(agents) = &mut agents {
        across(agents, events.as_ref().and_then(Option::as_deref), report);
    }
    let assemble = || {
        let (calendar, seed) = simulation?;
        Some(ScenarioFile {
            calendar,
            seed,
            agents: agents?,
            cost_rates: cost_rates?,
            lsm_config: lsm_config?,
            events: events?.unwrap_or_default(),
            payments: None,
            deferred_crediting: deferred_crediting?,
            deadline_cap_at_eod: deadline_cap_at_eod?,
            queue1_ordering: queue1_ordering?,
            priority_mode: priority_mode?,
            priority_escalation: priority_escalation?.unwrap_or_default(),
            algorithm_sequencing: algorithm_sequencing?,
            entry_disposition_offsetting: entry_disposition_offsetting?,
            eod_rush_threshold: eod_rush_threshold?,
            daily_liquidity_reallocation: daily_liquidity_reallocation?,
            policy_feature_toggles: policy_feature_toggles?.unwrap_or_default(),
            cost_feature_toggles: cost_feature_toggles?.unwrap_or_default(),
        })
    };
    Sections { file: assemble(), policies, payments: payments.flatten() }
}

/// What banks and events say of banks (spec 01, 3).
fn across(agents: &mut [Agent], events: Option<&[ScheduledEvent<Text>]>, report: &Report) {
    arrivals::forget_unknown_receivers(agents, report);
    let names = check::names(agents);
    check::banks(agents, &names, report);
    check::events(events.unwrap_or_default(), &names, report);
}

/// Words of `queue1_ordering`.
pub(in crate::scenario) const QUEUE1_ORDERS: [(&str, Queue1Ordering); 2] =
    [("fifo", Queue1Ordering::Fifo), ("priority_deadline", Queue1Ordering::PriorityDeadline)];

/// Words of `lsm_config.algorithm`.
pub(in crate::scenario) const LSM_ALGORITHMS: [(&str, LsmAlgorithm); 2] =
    [("cycles", LsmAlgorithm::Cycles), ("bech_soramaki", LsmAlgorithm::BechSoramaki)];

fn simulation(item: Item<'_>) -> Option<(Calendar, u64)> {
    let mut section = item.clone().mapping()?;
    let positive = |item: Item<'_>| item.integer(1..=i64::MAX).map(i64::unsigned_abs);
    let ticks_per_day = section.required("ticks_per_day", positive);
    let num_days = section.required("num_days", positive);
    let seed = section.required("rng_seed", |item| item.unsigned(0..=u64::MAX));
    section.finish();
    let (ticks_per_day, num_days) = (ticks_per_day?, num_days?);
    if ticks_per_day.checked_mul(num_days).is_none_or(|ticks| i64::try_from(ticks).is_err()) {
        item.error("`ticks_per_day` times `num_days` must be at most 9223372036854775807");
        return None;
    }
    Some((Calendar { ticks_per_day, num_days }, seed?))
}

fn lsm_config(item: Item<'_>) -> Option<LsmConfig> {
    let default = default_lsm_config();
    let mut section = item.mapping()?;
    let enable_bilateral = section.or("enable_bilateral", default.enable_bilateral, Item::boolean);
    let enable_cycles = section.or("enable_cycles", default.enable_cycles, Item::boolean);
    let max_cycle_length =
        section.or("max_cycle_length", default.max_cycle_length, |item| count(&item, 3, 10));
    let max_cycles_per_tick =
        section.or("max_cycles_per_tick", default.max_cycles_per_tick, |item| count(&item, 1, 100));
    let algorithm = section.or("algorithm", default.algorithm, |item| item.one_of(&LSM_ALGORITHMS));
    section.finish();
    Some(LsmConfig {
        enable_bilateral: enable_bilateral?,
        enable_cycles: enable_cycles?,
        max_cycle_length: max_cycle_length?,
        max_cycles_per_tick: max_cycles_per_tick?,
        algorithm: algorithm?,
    })
}

fn count(item: &Item<'_>, low: u64, high: u64) -> Option<usize> {
    item.unsigned(low..=high)?.try_into().ok()
}

fn priority_escalation(item: Item<'_>) -> Option<PriorityEscalation> {
    let PriorityEscalation { enabled, escalation } = PriorityEscalation::default();
    let mut section = item.mapping()?;
    let enabled = section.or("enabled", enabled, Item::boolean);
    let curve = section.or("curve", (), |item| {
        let word = item.str()?;
        if word != "linear" {
            item.warning(format!("there is no curve `{word}`; the curve is `linear`"));
        }
        Some(())
    });
    let start_at_ticks = section.or("start_escalating_at_ticks", escalation.start_at_ticks, |item| {
        item.integer(0..=i64::MAX).map(i64::unsigned_abs)
    });
    let max_boost =
        section.or("max_boost", escalation.max_boost, |item| item.unsigned(0..=255)?.try_into().ok());
    section.finish();
    curve?;
    let escalation = Escalation { start_at_ticks: start_at_ticks?, max_boost: max_boost? };
    Some(PriorityEscalation { enabled: enabled?, escalation })
}

fn toggles<C: Copy + Ord>(item: Item<'_>, all: &[C], name: impl Fn(C) -> &'static str) -> Option<Toggles<C>> {
    let choices: Vec<(&str, C)> = all.iter().map(|category| (name(*category), *category)).collect();
    let list = |item: Item<'_>| -> Option<BTreeSet<C>> {
        Some(item.list_of(|entry| entry.one_of(&choices))?.into_iter().collect())
    };
    let mut section = item.clone().mapping()?;
    let include = section.nullable("include", list);
    let exclude = section.nullable("exclude", list);
    section.finish();
    match (include?, exclude?) {
        (Some(_), Some(_)) => item.expected("`include` or `exclude`, not both", None),
        (Some(include), None) => Some(Toggles::Include(include)),
        (None, Some(exclude)) => Some(Toggles::Exclude(exclude)),
        (None, None) => Some(Toggles::Everything),
    }
}
