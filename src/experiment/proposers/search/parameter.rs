//! A parameter that the search may vary, and the values it tries.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use super::Point;
use crate::experiment::constraints::{ParameterKind, ParameterRule, PolicyConstraints};
use crate::experiment::policies::{FRACTION, fraction};

/// Finest step of a float, as a part of its range.
const FINEST: f64 = 1e-4;

/// Points of a grid whose steps are small.
const SMALL_STEPS: usize = 51;

/// A parameter that may vary.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    values: Values,
}

#[derive(Clone, Debug, PartialEq)]
enum Values {
    /// Numbers between two bounds.
    Floats(f64, f64),
    /// Integers between two bounds.
    Integers(i64, i64),
    /// These.
    Listed(Vec<Value>),
}

impl Parameter {
    /// The parameters that may vary and have an effect: the fraction if there is a pool, others if a
    /// tree of the policy names them.
    pub fn of(constraints: &PolicyConstraints, current: &Value, has_pool: bool) -> Vec<Self> {
        let rules = constraints.allowed_parameters.as_deref().unwrap_or_default();
        let has_effect =
            |name: &str| if name == FRACTION { has_pool } else { names_parameter(current, name) };
        rules.iter().filter(|rule| has_effect(&rule.name)).filter_map(Self::of_rule).collect()
    }

    fn of_rule(rule: &ParameterRule) -> Option<Self> {
        let bounds = || Some((rule.min.as_ref()?.as_f64()?, rule.max.as_ref()?.as_f64()?));
        let values = match (rule.kind, &rule.values) {
            (_, Some(values)) => Values::Listed(values.clone()),
            (ParameterKind::Float, None) => bounds().map(|(low, high)| Values::Floats(low, high))?,
            (ParameterKind::Int, None) => {
                bounds().map(|(low, high)| Values::Integers(low.ceil() as i64, high.floor() as i64))?
            }
            (ParameterKind::Enum, None) => return None,
        };
        Some(Self { name: rule.name.clone(), values })
    }

    /// Whether it is the fraction of the pool that is allocated.
    pub fn is_fraction(&self) -> bool {
        self.name == FRACTION
    }

    /// At most so many values at even steps from the least to the largest of listed fractions: what is
    /// between them tells how costs rise and fall, even if it cannot be proposed. Nothing if it would tell no
    /// more.
    pub fn between(&self, listed: &[Value], most: usize) -> Option<Vec<Value>> {
        let numbers = listed.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>()?;
        let low = numbers.iter().copied().min_by(f64::total_cmp)?;
        let high = numbers.iter().copied().max_by(f64::total_cmp)?;
        let even = Self { name: self.name.clone(), values: Values::Floats(low, high) };
        let scale = even.grid(most);
        (self.is_listed() && even.tells_of_liquidity(&scale) && !self.tells_of_liquidity(listed))
            .then_some(scale)
    }

    /// Whether it is the fraction of the pool, and the grid goes by even and small steps: then the price of
    /// liquidity rises evenly along the grid, and shortage falls by degrees.
    pub fn tells_of_liquidity(&self, grid: &[Value]) -> bool {
        let Some(least) = step_of(grid) else { return false };
        let is_least = |pair: &[Value]| {
            let step = pair[0].as_f64().zip(pair[1].as_f64()).map(|(one, next)| next - one);
            step.is_some_and(|step| (step - least).abs() < least * 1e-6)
        };
        self.is_fraction() && grid.len() >= SMALL_STEPS && grid.windows(2).all(is_least)
    }

    /// A policy with a value of the parameter.
    pub fn applied(&self, policy: &Value, value: &Value) -> Value {
        let mut policy = policy.clone();
        if let Some(members) = policy.as_object_mut() {
            let parameters = members.entry("parameters").or_insert_with(|| Value::Object(Map::new()));
            parameters[&self.name] = value.clone();
        }
        policy
    }

    /// Values over the whole range, at most so many (a range has at least two).
    pub fn grid(&self, most: usize) -> Vec<Value> {
        match &self.values {
            Values::Floats(low, high) if low < high => {
                // A hundred steps where they fit, so that ranges of 0 to 1 go by hundredths.
                let steps =
                    [100_u32, 50, 20, 10, 5].into_iter().find(|steps| (*steps as usize) < most).unwrap_or(2);
                (0..=steps).map(|step| json!(between(*low, *high, step, steps))).collect()
            }
            Values::Floats(low, _) => vec![json!(low)],
            Values::Integers(low, high) => integers(*low, *high, most),
            Values::Listed(values) => spread(&in_order(values), most),
        }
    }

    /// Whether its values are listed.
    pub const fn is_listed(&self) -> bool {
        matches!(self.values, Values::Listed(_))
    }

    /// Whether no finer grid is worth trying.
    pub fn is_fine(&self, grid: &[Value]) -> bool {
        match (&self.values, step_of(grid)) {
            (Values::Floats(low, high), Some(step)) => step <= (high - low) * FINEST,
            (Values::Integers(..), Some(step)) => step <= 1.0,
            (Values::Listed(values), _) => grid.len() >= values.len(),
            _ => true,
        }
    }

    /// A grid ten times as fine around a value of a grid; empty if that is not worth trying.
    pub fn refined(&self, around: &Value, grid: &[Value]) -> Vec<Value> {
        let (Some(center), Some(step)) = (around.as_f64(), step_of(grid)) else { return Vec::new() };
        match &self.values {
            Values::Floats(low, high) if step > (high - low) * FINEST * 1.5 => {
                let finer = step / 10.0;
                let offsets = (-9_i32..=9).filter(|offset| *offset != 0);
                let values = offsets.map(|offset| rounded(center + f64::from(offset) * finer, finer));
                values.filter(|value| (*low..=*high).contains(value)).map(|value| json!(value)).collect()
            }
            Values::Integers(low, high) if step > 1.0 => {
                let (first, last) = ((center - step).ceil() as i64, (center + step).floor() as i64);
                let inner = integers(first.max(*low), last.min(*high), 20);
                inner.into_iter().filter(|value| value != around).collect()
            }
            // What lies between the value and its neighbours on the grid.
            Values::Listed(values) => {
                let numbers = || grid.iter().filter_map(Value::as_f64);
                let low = numbers().filter(|number| *number < center).max_by(f64::total_cmp);
                let high = numbers().filter(|number| *number > center).min_by(f64::total_cmp);
                let (low, high) = (low.unwrap_or(center), high.unwrap_or(center));
                let is_inner = |value: &Value| {
                    value.as_f64().is_some_and(|number| low < number && number < high && number != center)
                };
                spread(&in_order(values).into_iter().filter(is_inner).collect::<Vec<_>>(), 20)
            }
            _ => Vec::new(),
        }
    }

    /// Whether a point is to be preferred to another: cheaper, or as cheap and smaller.
    pub fn prefers(&self, point: &Point, other: &Point) -> bool {
        let (cost, other_cost) = (point.measured.cost, other.measured.cost);
        cost < other_cost || cost == other_cost && point.value.as_f64() < other.value.as_f64()
    }

    /// Where on a grid the value of a policy stands, in steps from the grid's start.
    pub fn place(&self, policy: &Value, grid: &[Value]) -> f64 {
        let own = policy.get("parameters").and_then(|parameters| parameters.get(&self.name));
        let value = match own {
            None if self.is_fraction() => fraction(policy),
            own => match own.and_then(Value::as_f64) {
                Some(value) => value,
                None => return own.and_then(|own| grid.iter().position(|v| v == own)).unwrap_or(0) as f64,
            },
        };
        if let Some(exact) = grid.iter().position(|point| point.as_f64() == Some(value)) {
            return exact as f64;
        }
        let after = grid.iter().position(|point| point.as_f64().is_some_and(|point| point >= value));
        match after {
            None => grid.len().saturating_sub(1) as f64,
            Some(0) => 0.0,
            Some(after) => {
                let (left, right) = (grid[after - 1].as_f64(), grid[after].as_f64());
                let (left, right) = (left.unwrap_or(value), right.unwrap_or(value));
                (after - 1) as f64 + if right > left { (value - left) / (right - left) } else { 1.0 }
            }
        }
    }
}

/// Whether a `param` of the trees has this name.
fn names_parameter(policy: &Value, name: &str) -> bool {
    match policy {
        Value::Object(members) => members.iter().any(|(key, value)| {
            (key == "param" && value.as_str() == Some(name)) || names_parameter(value, name)
        }),
        Value::Array(items) => items.iter().any(|item| names_parameter(item, name)),
        _ => false,
    }
}

/// Listed values by size if they are numbers, else as they are listed.
fn in_order(values: &[Value]) -> Vec<Value> {
    let mut values = values.to_vec();
    if values.iter().all(Value::is_number) {
        values.sort_by(|one, other| one.as_f64().partial_cmp(&other.as_f64()).unwrap_or(Ordering::Equal));
    }
    values
}

/// At most so many of these values, the first and the last among them, the others evenly between.
fn spread(values: &[Value], most: usize) -> Vec<Value> {
    let most = most.max(2);
    if values.len() <= most {
        return values.to_vec();
    }
    (0..most).map(|place| values[place * (values.len() - 1) / (most - 1)].clone()).collect()
}

/// Distance of the first two numbers of a grid.
fn step_of(grid: &[Value]) -> Option<f64> {
    let steps = grid.windows(2).filter_map(|pair| Some(pair[1].as_f64()? - pair[0].as_f64()?));
    steps.map(f64::abs).min_by(f64::total_cmp).filter(|step| *step > 0.0)
}

/// A point of a grid, as round as its step allows: 0.15 and not 0.15000000000000002.
fn between(low: f64, high: f64, step: u32, steps: u32) -> f64 {
    let width = (high - low) / f64::from(steps);
    if step == 0 {
        low
    } else if step == steps {
        high
    } else {
        rounded(low + width * f64::from(step), width)
    }
}

/// A value with two digits more than its step has.
fn rounded(value: f64, step: f64) -> f64 {
    let digits = (3.0 - libm::log10(step).floor()).clamp(0.0, 17.0) as usize;
    format!("{value:.digits$}").parse().unwrap_or(value)
}

/// Integers of a range, all of them or evenly spread.
fn integers(low: i64, high: i64, most: usize) -> Vec<Value> {
    let span = i128::from(high) - i128::from(low);
    if span < 0 {
        return Vec::new();
    }
    let most = most.max(2) as i128;
    if span < most {
        return (low..=high).map(|value| json!(value)).collect();
    }
    let at = |step: i128| i64::try_from(i128::from(low) + span * step / (most - 1)).unwrap_or(high);
    (0..most).map(|step| json!(at(step))).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn a_unit_range_goes_by_hundredths() {
        let fraction = Parameter { name: FRACTION.to_owned(), values: Values::Floats(0.0, 1.0) };
        let grid = fraction.grid(133);
        assert_eq!(grid.len(), 101);
        assert_eq!(grid[15].to_string(), "0.15");
        let finer = fraction.refined(&grid[20], &grid);
        assert_eq!((finer[0].to_string(), finer[17].to_string()), ("0.191".to_owned(), "0.209".to_owned()));
        assert_eq!(fraction.place(&json!({"parameters": {FRACTION: 0.155}}), &grid).round(), 16.0);
    }

    #[test]
    fn listed_fractions_have_their_places_and_are_measured_between() {
        let fraction = |values: Vec<f64>| {
            let values = values.iter().map(|value| json!(value)).collect();
            Parameter { name: FRACTION.to_owned(), values: Values::Listed(values) }
        };
        for values in [[0.1, 0.2, 0.3], [0.1, 0.2, 0.5], [0.3, 0.2, 0.1]] {
            let fraction = fraction(values.to_vec());
            let largest = json!({"parameters": {FRACTION: values[0].max(values[2])}});
            assert_eq!(fraction.place(&largest, &fraction.grid(9)), 2.0, "{values:?}");
            let between = |most: usize| fraction.between(&fraction.grid(9), most).map(|scale| scale.len());
            assert_eq!((between(101), between(51), between(50)), (Some(101), Some(51), None), "{values:?}");
        }
        let even = fraction((0..=60).map(|step| f64::from(step) / 60.0).collect());
        assert!(even.tells_of_liquidity(&even.grid(99)) && even.between(&even.grid(99), 101).is_none());
    }

    #[test]
    fn long_lists_are_tried_over_their_whole_range_and_then_more_closely() {
        let listed = (0..1000).rev().map(|value| json!(value)).collect();
        let parameter = Parameter { name: "wait".to_owned(), values: Values::Listed(listed) };
        let mut grid = parameter.grid(10);
        assert_eq!((grid.first(), grid.last(), grid.len()), (Some(&json!(0)), Some(&json!(999)), 10));
        let (wanted, mut best) = (617, json!(0));
        for _ in 0..9 {
            let off = |value: &&Value| (value.as_i64().unwrap() - wanted).abs();
            best = std::iter::once(&best).chain(&grid).min_by_key(off).unwrap().clone();
            grid = parameter.refined(&best, &grid);
        }
        assert_eq!((best, grid.len()), (json!(wanted), 0));
    }

    #[test]
    fn wide_ranges_of_integers_are_spread_evenly() {
        let wait = Parameter { name: "wait".to_owned(), values: Values::Integers(0, 1_000_000) };
        assert_eq!(
            wait.grid(5),
            [json!(0), json!(250_000), json!(500_000), json!(750_000), json!(1_000_000)]
        );
        assert!(!wait.is_fine(&wait.grid(5)));
        assert_eq!(integers(i64::MIN, i64::MAX, 3).len(), 3);
    }
}
