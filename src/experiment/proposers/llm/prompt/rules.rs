//! What a policy may hold and what the scenario charges, as lists.

use crate::experiment::constraints::{ParameterRule, PolicyConstraints};
use crate::policy::TreeKind;
use crate::policy::schema::{Element, PolicyFilter, Section};
use crate::scenario::{CostRates, Penalty};

/// Trees in which some action is allowed; a tree that the constraints do not name is not restricted.
fn allowed_trees(constraints: &PolicyConstraints) -> Vec<TreeKind> {
    let is_empty = |tree: TreeKind| {
        let mut named = constraints.allowed_actions.iter().flatten();
        named.any(|(name, actions)| name == tree.key() && actions.is_empty())
    };
    TreeKind::ALL.into_iter().filter(|tree| !is_empty(*tree)).collect()
}

/// The trees of a policy.
pub fn trees(constraints: &PolicyConstraints) -> String {
    let trees = allowed_trees(constraints);
    let named = |element: &Element| trees.iter().any(|tree| tree.key() == element.key);
    list(elements(Section::Trees).iter().filter(|element| named(element)).map(told))
}

/// Parameters with their ranges.
pub fn parameters(constraints: &PolicyConstraints) -> String {
    match &constraints.allowed_parameters {
        None => "- any name with a number".to_owned(),
        Some(rules) => list(rules.iter().map(parameter)),
    }
}

fn parameter(rule: &ParameterRule) -> String {
    let mut text = format!("`{}` ({}", rule.name, rule.kind.name());
    if let Some(min) = &rule.min {
        text.push_str(&format!(", at least {min}"));
    }
    if let Some(max) = &rule.max {
        text.push_str(&format!(", at most {max}"));
    }
    if let Some(values) = &rule.values {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        text.push_str(&format!(", one of {}", values.join(", ")));
    }
    text.push(')');
    if let Some(description) = &rule.description {
        text.push_str(&format!(": {description}"));
    }
    text
}

/// Fields that may be read.
pub fn fields(constraints: &PolicyConstraints) -> String {
    let known = elements(Section::Fields);
    let lines: Vec<String> = match &constraints.allowed_fields {
        None => known.iter().map(told).collect(),
        Some(allowed) => allowed
            .iter()
            .map(|name| match known.iter().find(|element| element.key == name) {
                Some(element) => told(element),
                None => format!("`{name}`"),
            })
            .collect(),
    };
    list(lines)
}

/// Actions by tree.
pub fn actions(constraints: &PolicyConstraints) -> String {
    let known = elements(Section::Actions);
    let lines = allowed_trees(constraints).into_iter().flat_map(|tree| {
        let allowed = constraints.allowed_actions.as_ref();
        let names = allowed.and_then(|all| all.iter().find(|(name, _)| name == tree.key()));
        let in_tree = |element: &&Element| {
            element.trees.contains(&tree)
                && names.is_none_or(|(_, names)| names.iter().any(|name| name == element.key))
        };
        known
            .iter()
            .filter(in_tree)
            .map(|element| format!("in `{}`: {}", tree.key(), told(element)))
            .collect::<Vec<_>>()
    });
    list(lines)
}

/// Nodes with an example each.
pub fn nodes() -> String {
    examples(Section::Nodes)
}

/// Conditions with an example each.
pub fn expressions() -> String {
    examples(Section::Expressions)
}

/// Values with an example each.
pub fn values() -> String {
    examples(Section::Values)
}

/// Computations with an example each.
pub fn computations() -> String {
    examples(Section::Computations)
}

fn elements(section: Section) -> Vec<Element> {
    PolicyFilter::default().elements(section)
}

fn examples(section: Section) -> String {
    list(elements(section).iter().map(|element| match &element.example {
        Some(example) => {
            format!("{}, e.g. `{}`", told(element), example.split_whitespace().collect::<Vec<_>>().join(" "))
        }
        None => told(element),
    }))
}

/// An element in a line: its name, its meaning, its arguments.
fn told(element: &Element) -> String {
    let mut text = format!("`{}`: {}", element.key, element.help);
    if let Some(unit) = element.unit {
        text.push_str(&format!(" ({unit})"));
    }
    let arguments: Vec<String> = element
        .parameters
        .iter()
        .map(|parameter| {
            let required = if parameter.required { "" } else { ", optional" };
            format!("`{}` ({}{required})", parameter.name, parameter.kind)
        })
        .collect();
    if !arguments.is_empty() {
        text.push_str(&format!("; takes {}", arguments.join(", ")));
    }
    text
}

fn list(lines: impl IntoIterator<Item = String>) -> String {
    let lines: Vec<String> = lines.into_iter().map(|line| format!("- {line}")).collect();
    if lines.is_empty() { "- none".to_owned() } else { lines.join("\n") }
}

/// What the scenario charges.
pub fn rates(rates: &CostRates) -> String {
    let penalty = |penalty: Penalty| match penalty {
        Penalty::Fixed(cents) => format!("{} cents for each payment", cents.0),
        Penalty::Rate(bps) => format!("{bps} basis points of the amount"),
    };
    let mut lines = vec![
        format!("liquidity brought in: {} basis points of it per tick", rates.liquidity_cost_per_tick_bps),
        format!("a waiting payment: {} cents per cent and tick", rates.delay_cost_per_tick_per_cent),
        format!("an overdraft: {} basis points of it per tick", rates.overdraft_bps_per_tick),
        format!("posted collateral: {} basis points of it per tick", rates.collateral_cost_per_tick_bps),
        format!("a missed deadline: {}", penalty(rates.deadline_penalty)),
        format!("a payment unsettled at the end of a day: {}", penalty(rates.eod_penalty)),
        format!("each cut of a split: {} cents", rates.split_friction_cost.0),
        format!("an overdue payment that waits costs {} times as much", rates.overdue_delay_multiplier),
    ];
    if let Some([urgent, normal, low]) = rates.priority_delay_multipliers {
        lines.push(format!("waiting is weighed by priority: urgent {urgent}, normal {normal}, low {low}"));
    }
    list(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_that_is_not_named_is_not_restricted() {
        let allowed = [("payment_tree", vec!["Release".to_owned()]), ("bank_tree", Vec::new())];
        let allowed = allowed.map(|(tree, actions)| (tree.to_owned(), actions));
        let constraints =
            PolicyConstraints { allowed_actions: Some(allowed.to_vec()), ..PolicyConstraints::default() };
        let (trees, actions) = (trees(&constraints), actions(&constraints));
        assert!(trees.contains("`strategic_collateral_tree`") && !trees.contains("`bank_tree`"), "{trees}");
        assert!(actions.contains("in `strategic_collateral_tree`: `PostCollateral`"), "{actions}");
        assert!(!actions.contains("in `payment_tree`: `Hold`"), "{actions}");
    }
}
