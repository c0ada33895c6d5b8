//! What a proposed policy may hold (spec 07, 1.6 and 10.4; X9).

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::analysis::diff::same_number;
use super::policies::{FRACTION, TREES, fraction_given, has_tree};

/// The block `policy_constraints`. A list that is absent restricts nothing; one that is given is complete.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PolicyConstraints {
    /// Parameters that a policy may have.
    pub allowed_parameters: Option<Vec<ParameterRule>>,
    /// Fields that its trees may read.
    pub allowed_fields: Option<Vec<String>>,
    /// Actions by tree; a tree that is not named is not restricted.
    pub allowed_actions: Option<Vec<(String, Vec<String>)>>,
    /// Whether prompts speak of liquidity-saving mechanisms.
    pub lsm_enabled: bool,
}

/// A parameter that a policy may have.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterRule {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub kind: ParameterKind,
    /// Least value, as written.
    pub min: Option<Number>,
    /// Largest value, as written.
    pub max: Option<Number>,
    /// All values, where they are listed.
    pub values: Option<Vec<Value>>,
    /// For readers.
    pub description: Option<String>,
}

/// What the values of a parameter are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterKind {
    /// Integers.
    Int,
    /// Numbers.
    Float,
    /// One of a list.
    Enum,
}

impl ParameterKind {
    /// The word in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Float => "float",
            Self::Enum => "enum",
        }
    }
}

/// Types that need no tree.
const BUILT_IN_TYPES: [&str; 5] =
    ["Fifo", "Deadline", "LiquidityAware", "LiquiditySplitting", "MockSplitting"];

impl PolicyConstraints {
    /// Everything that a policy breaks, in the specified order, without what the engine says of it.
    #[must_use]
    pub fn violations(&self, policy: &Value) -> Vec<String> {
        let mut found = Vec::new();
        self.check_form(policy, &mut found);
        let typed_badly = self.check_parameters(policy, &mut found);
        self.check_fields(policy, &mut found);
        self.check_actions(policy, &mut found);
        if let Some(fraction) = fraction_given(policy).filter(|_| !typed_badly)
            && !fraction.as_f64().is_some_and(|fraction| (0.0..=1.0).contains(&fraction))
        {
            found.push(format!("{FRACTION} must be between 0 and 1"));
        }
        found
    }

    fn check_form(&self, policy: &Value, found: &mut Vec<String>) {
        if has_tree(policy) {
            return;
        }
        match policy.get("type") {
            None | Some(Value::Null) => found.push("a policy needs a tree or a type".to_owned()),
            Some(Value::String(name)) if BUILT_IN_TYPES.contains(&name.as_str()) => {
                if self.allowed_fields.is_some() || self.allowed_actions.is_some() {
                    found.push("a policy without trees is not allowed".to_owned());
                }
            }
            Some(other) => found.push(format!("type {other} is not allowed")),
        }
    }

    /// Checks every parameter; whether the fraction in force is of a wrong type and was refused for it.
    fn check_parameters(&self, policy: &Value, found: &mut Vec<String>) -> bool {
        let Some(rules) = &self.allowed_parameters else { return false };
        let given = policy.get("parameters").and_then(Value::as_object);
        let inner = given.into_iter().flatten().map(|(name, value)| (name.as_str(), value));
        let outer = policy.get(FRACTION).map(|value| (FRACTION, value));
        let mut fraction_refused = false;
        for (name, value) in inner.chain(outer) {
            match rules.iter().find(|rule| rule.name == name) {
                None => found.push(format!("parameter '{name}' is not allowed")),
                Some(rule) => {
                    let typed = rule.check(value, found);
                    fraction_refused |= !typed && name == FRACTION;
                }
            }
        }
        fraction_refused
    }

    fn check_fields(&self, policy: &Value, found: &mut Vec<String>) {
        let Some(allowed) = &self.allowed_fields else { return };
        for tree in TREES {
            let mut fields = Vec::new();
            if let Some(root) = policy.get(tree) {
                visit_nodes(root, &mut |node| collect_fields(node, true, &mut fields));
            }
            for field in fields.iter().filter(|field| !allowed.iter().any(|name| name == *field)) {
                found.push(format!("field '{field}' is not allowed in {tree}"));
            }
        }
    }

    fn check_actions(&self, policy: &Value, found: &mut Vec<String>) {
        let Some(by_tree) = &self.allowed_actions else { return };
        for tree in TREES {
            let Some((_, allowed)) = by_tree.iter().find(|(name, _)| name == tree) else { continue };
            let mut actions: Vec<String> = Vec::new();
            if let Some(root) = policy.get(tree) {
                visit_nodes(root, &mut |node| {
                    if let Some(action) = node.get("action").and_then(Value::as_str) {
                        push_once(action, &mut actions);
                    }
                });
            }
            for action in actions.iter().filter(|action| !allowed.contains(action)) {
                found.push(format!("action '{action}' is not allowed in {tree}"));
            }
        }
    }
}

impl ParameterRule {
    /// Checks a value; whether it is of the right type.
    fn check(&self, value: &Value, found: &mut Vec<String>) -> bool {
        let name = &self.name;
        let number = value.as_number();
        match (self.kind, number) {
            (ParameterKind::Int, number) if number.is_none_or(Number::is_f64) => {
                found.push(format!("parameter '{name}' must be an integer"));
                return false;
            }
            (ParameterKind::Float, None) => {
                found.push(format!("parameter '{name}' must be a number"));
                return false;
            }
            _ => {}
        }
        let beyond = |bound: &Option<Number>, side: Ordering| {
            let (number, bound) = (number?, bound.as_ref()?);
            (compare(number, bound) == side).then(|| bound.clone())
        };
        if let Some(min) = beyond(&self.min, Ordering::Less) {
            found.push(format!("parameter '{name}' = {value} is below the minimum {min}"));
        }
        if let Some(max) = beyond(&self.max, Ordering::Greater) {
            found.push(format!("parameter '{name}' = {value} is above the maximum {max}"));
        }
        if let Some(values) = &self.values
            && !values.iter().any(|allowed| same_value(allowed, value))
        {
            let listed: Vec<String> = values.iter().map(Value::to_string).collect();
            found.push(format!("parameter '{name}' = {value} is not one of [{}]", listed.join(", ")));
        }
        true
    }
}

/// Compares numbers by value, integers exactly.
fn compare(a: &Number, b: &Number) -> Ordering {
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal),
    }
}

fn same_value(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => same_number(a, b),
        _ => a == b,
    }
}

/// Shows every node of a tree: node, then `on_true`, then `on_false`.
fn visit_nodes(node: &Value, seen: &mut impl FnMut(&Value)) {
    seen(node);
    for branch in ["on_true", "on_false"] {
        if let Some(next) = node.get(branch) {
            visit_nodes(next, seen);
        }
    }
}

/// The fields that a node reads, in the order of the document, without its branches.
fn collect_fields(value: &Value, is_node: bool, fields: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                match member {
                    Value::String(field) if key == "field" => push_once(field, fields),
                    _ if is_node && (key == "on_true" || key == "on_false") => {}
                    _ => collect_fields(member, false, fields),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_fields(item, false, fields)),
        _ => {}
    }
}

fn push_once(name: &str, names: &mut Vec<String>) {
    if !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_that_is_given_is_complete_even_if_empty() {
        let nothing =
            PolicyConstraints { allowed_parameters: Some(Vec::new()), ..PolicyConstraints::default() };
        let policy = json!({"type": "Fifo", "initial_liquidity_fraction": 0.2});
        assert_eq!(nothing.violations(&policy), ["parameter 'initial_liquidity_fraction' is not allowed"]);
        assert!(PolicyConstraints::default().violations(&policy).is_empty());
    }

    #[test]
    fn a_fraction_must_be_a_number_in_any_case() {
        let policy = json!({"type": "Fifo", "initial_liquidity_fraction": "half"});
        let found = PolicyConstraints::default().violations(&policy);
        assert_eq!(found, ["initial_liquidity_fraction must be between 0 and 1"]);
    }
}
