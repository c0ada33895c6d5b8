//! Automatic arrivals and their distributions (spec 01, 2.4 to 2.6).

use std::collections::HashSet;

use crate::document::{Bound, Item, Reader, Report, shortened};
use crate::event::Text;
use crate::finding::{meant, nearest};
use crate::scenario::file::Agent;
use crate::scenario::model::{
    AmountDistribution, ArrivalBand, ArrivalConfig, Arrivals, Band, PriorityDistribution,
};

/// Priority where neither `priority` nor `priority_distribution` is given.
pub(in crate::scenario) const DEFAULT_PRIORITY: u8 = 5;

/// The bands in the order in which they arrive.
pub(in crate::scenario) const BANDS: [Band; 3] = [Band::Urgent, Band::Normal, Band::Low];

type Bands = [Option<ArrivalBand<Text>>; 3];

/// What a bank has, given that not both are there.
pub(super) fn either(single: Option<ArrivalConfig<Text>>, bands: Option<Bands>) -> Arrivals<Text> {
    match (single, bands) {
        (Some(config), _) => Arrivals::Single(config),
        (None, Some(bands)) => Arrivals::Bands(bands),
        (None, None) => Arrivals::None,
    }
}

/// `arrival_config` (2.4).
pub(super) fn config(item: Item<'_>) -> Option<ArrivalConfig<Text>> {
    let mut section = item.mapping()?;
    let rate_per_tick = section.required("rate_per_tick", rate);
    let amounts = section.required("amount_distribution", amounts);
    let counterparty_weights = section.required("counterparty_weights", |item| {
        let weights = weights(&item)?;
        if !adds_up(weights.iter().map(|(_, weight)| weight)) {
            item.error("the weights must add up to more than 0");
            return None;
        }
        Some(weights)
    });
    let deadline_range = section.required("deadline_range", deadline_range);
    let priority = section.or("priority", DEFAULT_PRIORITY, |item| priority(&item));
    let priorities = section.nullable("priority_distribution", priorities);
    let divisible = section.or("divisible", false, Item::boolean);
    section.finish();
    Some(ArrivalConfig {
        rate_per_tick: rate_per_tick?,
        amounts: amounts?,
        counterparty_weights: counterparty_weights?,
        deadline_range: deadline_range?,
        priorities: priorities?.unwrap_or(PriorityDistribution::Fixed(priority?)),
        divisible: divisible?,
    })
}

/// `arrival_bands` (2.5).
pub(super) fn bands(item: Item<'_>) -> Option<Bands> {
    let mut section = item.clone().mapping()?;
    let read = BANDS.map(|name| section.nullable(name.name(), band));
    section.finish();
    let [urgent, normal, low] = read;
    let bands = [urgent?, normal?, low?];
    if bands.iter().all(Option::is_none) {
        item.error("at least one of `urgent`, `normal` and `low` is needed");
        return None;
    }
    Some(bands)
}

fn band(item: Item<'_>) -> Option<ArrivalBand<Text>> {
    let mut section = item.mapping()?;
    let rate_per_tick = section.required("rate_per_tick", rate);
    let amounts = section.required("amount_distribution", amounts);
    let min = section.required("deadline_offset_min", ticks);
    let max = section.required("deadline_offset_max", ticks);
    let counterparty_weights = section.or("counterparty_weights", Vec::new(), |item| weights(&item));
    let divisible = section.or("divisible", false, Item::boolean);
    let deadline_range = (min?, max?);
    if deadline_range.1 < deadline_range.0 {
        section.error("`deadline_offset_max` is below `deadline_offset_min`");
        return None;
    }
    section.finish();
    Some(ArrivalBand {
        rate_per_tick: rate_per_tick?,
        amounts: amounts?,
        counterparty_weights: counterparty_weights?,
        deadline_range,
        divisible: divisible?,
    })
}

/// A band's weight for a bank that does not exist is an unknown key: reported and dropped (2.5).
pub(super) fn forget_unknown_receivers(agents: &mut [Agent], report: &Report) {
    let ids: HashSet<Text> = agents.iter().map(|agent| Text::clone(&agent.id)).collect();
    for (index, agent) in agents.iter_mut().enumerate() {
        let Arrivals::Bands(bands) = &mut agent.arrivals else { continue };
        for (band, name) in bands.iter_mut().zip(BANDS) {
            let Some(band) = band else { continue };
            band.counterparty_weights.retain(|(id, _)| {
                let known = ids.contains(id);
                if !known {
                    let name = name.name();
                    let path = format!("agents[{index}].arrival_bands.{name}.counterparty_weights.{id}");
                    let near = meant(nearest(id, ids.iter().map(|id| &**id)));
                    report.warning(path, format!("unknown bank `{}`{near}", shortened(id)));
                }
                known
            });
        }
    }
}

fn rate(item: Item<'_>) -> Option<f64> {
    item.float(Bound::AtLeast(0.0))
}

fn ticks(item: Item<'_>) -> Option<i64> {
    item.integer(1..=i64::MAX)
}

/// A priority, 0 to 10.
pub(super) fn priority(item: &Item<'_>) -> Option<u8> {
    item.unsigned(0..=10)?.try_into().ok()
}

fn weights(item: &Item<'_>) -> Option<Vec<(Text, f64)>> {
    let read = |(id, item): (&str, Item<'_>)| Some((Text::from(id), item.float(Bound::AtLeast(0.0))?));
    let weights: Vec<Option<_>> = item.named()?.into_iter().map(read).collect();
    weights.into_iter().collect()
}

/// Whether weights add up to more than 0; infinities that cancel each other do not.
fn adds_up<'w>(weights: impl IntoIterator<Item = &'w f64>) -> bool {
    weights.into_iter().sum::<f64>() > 0.0
}

fn deadline_range(item: Item<'_>) -> Option<(i64, i64)> {
    let ends = item.list_of(ticks)?;
    let [min, max] = ends[..] else {
        return item.expected("a list of two integers, smallest and largest offset", None);
    };
    if max < min {
        item.error(format!("the largest offset {max} is below the smallest {min}"));
        return None;
    }
    Some((min, max))
}

#[derive(Clone, Copy)]
enum AmountType {
    Normal,
    LogNormal,
    Uniform,
    Exponential,
}

const AMOUNT_TYPES: [(&str, AmountType); 4] = [
    ("Normal", AmountType::Normal),
    ("LogNormal", AmountType::LogNormal),
    ("Uniform", AmountType::Uniform),
    ("Exponential", AmountType::Exponential),
];

/// Amount distributions (2.6.1).
fn amounts(item: Item<'_>) -> Option<AmountDistribution> {
    let mut section = item.mapping()?;
    let read = match section.alternative("type", &AMOUNT_TYPES)? {
        AmountType::Normal => {
            let mean = section.required("mean", |item| item.integer(i64::MIN..=i64::MAX));
            let std_dev = section.required("std_dev", |item| item.integer(1..=i64::MAX));
            mean.zip(std_dev).map(|(mean, std_dev)| AmountDistribution::Normal { mean, std_dev })
        }
        AmountType::LogNormal => {
            let mean = section.required("mean", |item| item.float(Bound::Any));
            let std_dev = section.required("std_dev", |item| item.float(Bound::Above(0.0)));
            mean.zip(std_dev).map(|(mean, std_dev)| AmountDistribution::LogNormal { mean, std_dev })
        }
        AmountType::Uniform => uniform_amounts(&mut section),
        AmountType::Exponential => {
            let lambda = section.required("lambda", |item| item.float(Bound::Above(0.0)));
            lambda.map(|lambda| AmountDistribution::Exponential { lambda })
        }
    };
    section.finish();
    read
}

fn uniform_amounts(section: &mut Reader<'_>) -> Option<AmountDistribution> {
    let min = section.required("min", |item| item.integer(0..=i64::MAX));
    let max = section.required("max", |item| {
        let max = item.integer(0..=i64::MAX - 1)?;
        if min.is_some_and(|min| max <= min) {
            item.error(format!("`max` {max} must be above `min`"));
            return None;
        }
        Some(max)
    });
    min.zip(max).map(|(min, max)| AmountDistribution::Uniform { min, max })
}

#[derive(Clone, Copy)]
enum PriorityType {
    Fixed,
    Categorical,
    Uniform,
}

const PRIORITY_TYPES: [(&str, PriorityType); 3] = [
    ("Fixed", PriorityType::Fixed),
    ("Categorical", PriorityType::Categorical),
    ("Uniform", PriorityType::Uniform),
];

/// Priority distributions (2.6.2).
fn priorities(item: Item<'_>) -> Option<PriorityDistribution> {
    let mut section = item.mapping()?;
    let read = match section.alternative("type", &PRIORITY_TYPES)? {
        PriorityType::Fixed => {
            section.required("value", |item| priority(&item)).map(PriorityDistribution::Fixed)
        }
        PriorityType::Categorical => categorical(&mut section),
        PriorityType::Uniform => {
            let min = section.required("min", |item| priority(&item));
            let max = section.required("max", |item| priority(&item));
            let ends = min.zip(max);
            if let Some((min, max)) = ends.filter(|(min, max)| max < min) {
                section.error(format!("`max` {max} is below `min` {min}"));
            }
            ends.filter(|(min, max)| max >= min).map(|(min, max)| PriorityDistribution::Uniform { min, max })
        }
    };
    section.finish();
    read
}

fn categorical(section: &mut Reader<'_>) -> Option<PriorityDistribution> {
    let values = section.required("values", |item| item.list_of(|item| priority(&item)));
    let weights = section.required("weights", |item| item.list_of(|item| item.float(Bound::Any)));
    let (values, weights) = values.zip(weights)?;
    if values.len() != weights.len() {
        section.error(format!("{} `values` need as many `weights`, found {}", values.len(), weights.len()));
        return None;
    }
    if !adds_up(&weights) {
        section.error("the weights must add up to more than 0");
        return None;
    }
    Some(PriorityDistribution::Categorical { values, weights })
}
