//! Reading the block `sweep` of an experiment file (spec 07, 18.1).

use std::collections::HashSet;

use super::MAX_RUNS;
use super::design::{Axis, Design, Sweep, Target};
use super::figures::Figure;
use crate::document::{Bound, Item, Node, Value, shortened};
use crate::experiment::file::ReadFile;
use crate::finding::{meant, nearest};
use crate::scenario::SettingPath;

/// Keys of an experiment that are not allowed beside `sweep` (spec 07, 1.1).
pub const REFUSED_KEYS: [&str; 5] =
    ["optimized_agents", "convergence", "llm", "proposer", "policy_constraints"];

/// Digits behind the point that the values of a range may have.
const MAX_DECIMALS: usize = 18;

/// Reads the block. Files that values name go to `files`: name as written, content.
pub fn read(item: &Item<'_>, read_file: ReadFile<'_>, files: &mut Vec<(String, String)>) -> Option<Sweep> {
    let mut block = item.clone().mapping()?;
    let vary = block.required("vary", |item| read_axes(&item));
    let design = block.or("design", Design::Grid, |item| item.one_of(&Design::WORDS));
    let repetitions = block.or("repetitions", 1, |item| item.unsigned(1..=MAX_RUNS as u64));
    let metrics = block.or("metrics", Figure::default_list(), |item| read_metrics(&item));
    block.finish();
    let repetitions = u32::try_from(repetitions?).ok()?;
    let sweep = Sweep { vary: vary?, design: design?, repetitions, metrics: metrics? };
    fits(&sweep, item)?;
    for axis in &sweep.vary {
        axis.values.iter().try_for_each(|value| read_policy_file(value, read_file, files, item))?;
    }
    Some(sweep)
}

/// What concerns all axes together.
fn fits(sweep: &Sweep, item: &Item<'_>) -> Option<()> {
    if sweep.design == Design::Grid && !sweep.vary.iter().all(|axis| has_no_value_twice(axis, item)) {
        return None;
    }
    let (first, others) = sweep.vary.split_first()?;
    if let Some(other) = others.iter().find(|axis| axis.values.len() != first.values.len())
        && sweep.design == Design::Zip
    {
        item.error(format!(
            "with `design: zip` all axes need as many values: `{}` has {}, `{}` has {}",
            first.target.label(),
            first.values.len(),
            other.target.label(),
            other.values.len()
        ));
        return None;
    }
    match sweep.runs() {
        Some(runs) if runs <= MAX_RUNS => Some(()),
        runs => {
            let many = runs.map_or_else(|| "too many".to_owned(), |runs| runs.to_string());
            item.error(format!("points times repetitions are {many} runs; at most {MAX_RUNS} are allowed"));
            None
        }
    }
}

fn read_axes(item: &Item<'_>) -> Option<Vec<Axis>> {
    let mut axes: Vec<Axis> = Vec::new();
    let mut whole = true;
    for item in item.list()? {
        let Some(axis) = read_axis(&item) else {
            whole = false;
            continue;
        };
        let label = axis.target.label();
        if axes.iter().any(|known| known.target.label() == label) {
            item.error(format!("`{}` is varied twice", shortened(&label)));
            whole = false;
        }
        axes.push(axis);
    }
    if whole && axes.is_empty() {
        item.error("must have at least one axis");
    }
    (whole && !axes.is_empty()).then_some(axes)
}

fn read_axis(item: &Item<'_>) -> Option<Axis> {
    let mut block = item.clone().mapping()?;
    let scenario = block.nullable("scenario", |item| read_path(&item));
    let policy = block.nullable("policy", |item| read_name(&item));
    let parameter = block.nullable("parameter", |item| read_name(&item));
    let listed = block.item("values");
    let range = block.item("range");
    block.finish();
    let target = read_target(item, scenario?, policy?, parameter?)?;
    let label = target.label();
    let is_range = range.is_some();
    let values = match (listed, range) {
        (Some(item), None) => item.list()?.into_iter().map(|item| item.node.clone()).collect(),
        (None, Some(item)) => read_range(&item)?,
        (Some(_), Some(_)) => {
            item.error(format!("`{label}` has both `values` and `range`: give one of them"));
            return None;
        }
        (None, None) => Vec::new(),
    };
    if values.is_empty() {
        item.error(format!("the axis `{label}` has no values: give `values: [...]` or `range`"));
        return None;
    }
    let axis = Axis { target, values, is_range };
    are_usable(&axis, item).then_some(axis)
}

/// A parameter of a policy is a number.
fn are_usable(axis: &Axis, item: &Item<'_>) -> bool {
    let label = axis.target.label();
    let is_parameter = matches!(axis.target, Target::Policy { .. });
    for value in &axis.values {
        if is_parameter && !matches!(value.value, Value::Int(_) | Value::Float(_)) {
            item.error(format!("`{label}`: a parameter is a number, found {}", value.described()));
            return false;
        }
    }
    true
}

/// In a grid an axis has each value once; in other designs the values of several axes make a point.
fn has_no_value_twice(axis: &Axis, item: &Item<'_>) -> bool {
    let mut seen = HashSet::with_capacity(axis.values.len());
    let twice = axis.values.iter().map(Node::to_json_text).find(|text| !seen.insert(text.clone()));
    if let Some(text) = &twice {
        item.error(format!("`{}` has the value {} twice", axis.target.label(), shortened(text)));
    }
    twice.is_none()
}

fn read_target(
    item: &Item<'_>,
    scenario: Option<SettingPath>,
    policy: Option<String>,
    parameter: Option<String>,
) -> Option<Target> {
    match (scenario, policy, parameter) {
        (Some(path), None, None) => Some(Target::Scenario(path)),
        (None, Some(bank), Some(parameter)) => {
            Some(Target::Policy { bank: (bank != "all").then_some(bank), parameter })
        }
        _ => {
            item.error(
                "an axis has either `scenario: PATH`, or `policy: BANK` (or `all`) with `parameter: NAME`",
            );
            None
        }
    }
}

fn read_path(item: &Item<'_>) -> Option<SettingPath> {
    let text = item.str()?;
    let path: SettingPath = match text.parse() {
        Ok(path) => path,
        Err(error) => {
            item.error(format!(
                "{error}, like `cost_rates.delay_cost_per_tick_per_cent` or \
                                `agents[BANK_A].liquidity_pool`"
            ));
            return None;
        }
    };
    if path.to_string() == "simulation.rng_seed" {
        item.error("the seed is no setting to vary: `repetitions` runs every point with several seeds");
        return None;
    }
    Some(path)
}

fn read_name(item: &Item<'_>) -> Option<String> {
    let name = item.str()?;
    if name.is_empty() {
        item.error("must not be empty");
        return None;
    }
    Some(name.to_owned())
}

fn read_metrics(item: &Item<'_>) -> Option<Vec<Figure>> {
    let mut figures = Vec::new();
    for item in item.list()? {
        let name = item.str()?;
        match Figure::find(name) {
            Some(figure) if figures.contains(&figure) => {
                item.error(format!("`{name}` is named twice"));
                return None;
            }
            Some(figure) => figures.push(figure),
            None => {
                let known: Vec<&str> = Figure::all().map(Figure::name).collect();
                let near = meant(nearest(name, known.iter().copied()));
                let name = shortened(name);
                item.error(format!("`{name}` is no figure{near} (known: {})", known.join(", ")));
                return None;
            }
        }
    }
    if figures.is_empty() {
        item.error("must name at least one figure");
        return None;
    }
    Some(figures)
}

/// The values from `from` to `to`, the end included if it is hit. They are computed as decimal
/// numbers, so that `0` to `1` by `0.1` holds 0.3 and not 0.30000000000000004.
fn read_range(item: &Item<'_>) -> Option<Vec<Node>> {
    let mut block = item.clone().mapping()?;
    let mut bound = |key| block.required(key, |item| item.float(Bound::Any).map(|_| item.node.clone()));
    let (from, to, step) = (bound("from"), bound("to"), bound("step"));
    block.finish();
    let bounds = [from?, to?, step?];
    let whole = bounds.iter().all(|node| matches!(node.value, Value::Int(_)));
    let Some((numbers, decimals)) = decimals_of(&bounds) else {
        item.error(format!("the range must be of finite numbers with at most {MAX_DECIMALS} decimals"));
        return None;
    };
    let [from, to, step] = numbers;
    if step == 0 {
        item.error("`step` must not be 0");
        return None;
    }
    let span = to.checked_sub(from)?;
    if span.signum() * step.signum() < 0 {
        item.error("the range has no values: `step` leads away from `to`");
        return None;
    }
    let count = span / step + 1;
    if count > MAX_RUNS as i128 {
        item.error(format!("the range has {count} values; at most {MAX_RUNS} are allowed"));
        return None;
    }
    let at = item.node.at;
    let value =
        |number: i128| if whole { Value::Int(number) } else { Value::Float(decimal(number, decimals)) };
    Some((0..count).map(|index| Node { value: value(from + index * step), at }).collect())
}

/// The numbers as integers of one unit, 10 to the power of minus the decimals.
fn decimals_of(nodes: &[Node; 3]) -> Option<([i128; 3], usize)> {
    let mut texts = Vec::with_capacity(nodes.len());
    for node in nodes {
        texts.push(match &node.value {
            Value::Int(value) => value.to_string(),
            // `Display` of a float has no exponent.
            Value::Float(value) if value.is_finite() => value.to_string(),
            _ => return None,
        });
    }
    let length = |text: &str| text.split_once('.').map_or(0, |(_, behind)| behind.len());
    let decimals = texts.iter().map(|text| length(text)).max()?;
    if decimals > MAX_DECIMALS {
        return None;
    }
    let number = |text: &String| -> Option<i128> {
        let digits = text.replace('.', "") + &"0".repeat(decimals - length(text));
        // Far from the ends of 128 bits, so that differences and products stay inside.
        digits.parse().ok().filter(|number: &i128| number.abs() < i128::MAX / 4)
    };
    let [from, to, step] = [number(&texts[0])?, number(&texts[1])?, number(&texts[2])?];
    Some(([from, to, step], decimals))
}

/// The float nearest to a decimal number.
fn decimal(number: i128, decimals: usize) -> f64 {
    format!("{number}e-{decimals}").parse().unwrap_or(f64::NAN)
}

/// A policy of a file, given as a value, is read with the experiment.
fn read_policy_file(
    value: &Node,
    read_file: ReadFile<'_>,
    files: &mut Vec<(String, String)>,
    item: &Item<'_>,
) -> Option<()> {
    let Some(path) = value.get("json_path").and_then(Node::as_text) else { return Some(()) };
    if files.iter().any(|(known, _)| known == path) {
        return Some(());
    }
    match read_file(path) {
        Ok(text) => files.push((path.to_owned(), text)),
        Err(reason) => {
            item.error(format!("the policy `{}` cannot be read: {reason}", shortened(path)));
            return None;
        }
    }
    Some(())
}
