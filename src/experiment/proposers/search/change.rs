//! Small changes of decision trees, within the fields and actions that the constraints name (spec 07,
//! 10.5): another action at a leaf, a test before it, a test left out, turned round or with another number.

use serde_json::{Number, Value, json};

use crate::experiment::constraints::PolicyConstraints;
use crate::experiment::policies::{AgentPolicy, TREES};
use crate::persistence::PolicyAuthor;
use crate::policy::FIELDS;

/// Policies that differ from one by a single change of one tree. Only trees whose actions the constraints
/// list are changed; new tests read the fields that they list. Each can be built, and breaks nothing.
pub fn changes(policy: &Value, constraints: &PolicyConstraints) -> Vec<Value> {
    let tests = tests(constraints.allowed_fields.as_deref().unwrap_or_default());
    let ids = fresh_ids(policy);
    let base = without_forbidden(policy, constraints);
    let mut changed = Vec::new();
    for tree in TREES {
        let named = constraints.allowed_actions.iter().flatten().find(|(name, _)| name == tree);
        let Some((_, actions)) = named else { continue };
        let Some(root) = policy.get(tree).filter(|root| root.is_object()) else { continue };
        let material = Material { actions, tests: &tests, ids: &ids };
        for root in material.variants(root) {
            let mut candidate = base.clone();
            candidate[tree] = root;
            changed.push(candidate);
        }
    }
    let sound = |candidate: &Value| {
        constraints.violations(candidate).is_empty()
            && AgentPolicy::build(candidate.clone(), PolicyAuthor::Llm).is_ok()
    };
    changed.retain(sound);
    changed
}

/// The policy without the parameters that a proposal may not have: the first policy of a run has the
/// fraction of the pool whether it may be proposed or not.
fn without_forbidden(policy: &Value, constraints: &PolicyConstraints) -> Value {
    let mut policy = policy.clone();
    if let Some(rules) = &constraints.allowed_parameters
        && let Some(parameters) = policy.get_mut("parameters").and_then(Value::as_object_mut)
    {
        parameters.retain(|name, _| rules.iter().any(|rule| rule.name == *name));
    }
    policy
}

/// Of what changes are made.
struct Material<'a> {
    actions: &'a [String],
    tests: &'a [Value],
    /// Names for two new nodes.
    ids: &'a [String; 2],
}

impl Material<'_> {
    /// The node with one change in it or below it; the simpler ones first.
    fn variants(&self, node: &Value) -> Vec<Value> {
        if node.get("type").and_then(Value::as_str) == Some("action") {
            return self.leaves(node);
        }
        let branches = ["on_true", "on_false"].map(|name| (name, node.get(name)));
        let mut variants: Vec<Value> = branches.iter().filter_map(|(_, branch)| branch.cloned()).collect();
        let with = |key: &str, value: Value| {
            let mut changed = node.clone();
            changed[key] = value;
            changed
        };
        if let Some(condition) = node.get("condition") {
            variants.extend(turned(condition).into_iter().map(|changed| with("condition", changed)));
        }
        for (name, branch) in branches {
            let below = branch.map(|branch| self.variants(branch)).unwrap_or_default();
            variants.extend(below.into_iter().map(|changed| with(name, changed)));
        }
        variants
    }

    /// A leaf with another action, always or where a test holds.
    fn leaves(&self, leaf: &Value) -> Vec<Value> {
        let [test_id, leaf_id] = self.ids;
        let own = leaf.get("action").and_then(Value::as_str);
        let others = self.actions.iter().filter(|action| Some(action.as_str()) != own);
        let others: Vec<Value> =
            others.map(|action| json!({"type": "action", "node_id": leaf_id, "action": action})).collect();
        let tested = others.iter().flat_map(|other| {
            self.tests.iter().map(move |test| {
                json!({"type": "condition", "node_id": test_id, "condition": test,
                       "on_true": other, "on_false": leaf})
            })
        });
        others.iter().cloned().chain(tested).collect()
    }
}

/// Names that no node of the policy has.
fn fresh_ids(policy: &Value) -> [String; 2] {
    let text = policy.to_string();
    let mut free = (1_u32..).map(|number| format!("search_{number}"));
    let mut next = || free.by_ref().find(|id| !text.contains(&format!("\"{id}\""))).unwrap_or_default();
    [next(), next()]
}

/// Tests of fields: against each other where they have the same unit, else against usual numbers.
fn tests(names: &[String]) -> Vec<Value> {
    let rows: Vec<_> = FIELDS.iter().filter(|row| names.iter().any(|name| name == row.name)).collect();
    let mut tests = Vec::new();
    let field = |name: &str| json!({"field": name});
    let mut both = |left: Value, right: Value| {
        for op in ["<", ">="] {
            tests.push(json!({"op": op, "left": left, "right": right}));
        }
    };
    for (at, row) in rows.iter().enumerate() {
        for other in rows.iter().skip(at + 1).filter(|other| other.unit == row.unit) {
            both(field(row.name), field(other.name));
        }
        for number in usual(row.unit) {
            both(field(row.name), json!({"value": number}));
        }
    }
    tests
}

/// Numbers that divide what a unit counts.
const fn usual(unit: &str) -> &'static [f64] {
    match unit.as_bytes() {
        b"ticks" => &[2.0, 3.0, 6.0, 11.0],
        b"count" => &[1.0, 3.0, 10.0],
        b"cents" => &[0.0],
        b"ratio" | b"0 to 1" => &[0.25, 0.5, 0.75],
        b"0 or 1" => &[1.0],
        b"0 to 10" => &[4.0, 7.0],
        // Moments and prices mean nothing by themselves.
        _ => &[],
    }
}

/// A condition turned round, or with one of its numbers changed.
fn turned(condition: &Value) -> Vec<Value> {
    let mut changed = Vec::new();
    let opposite = match condition.get("op").and_then(Value::as_str) {
        Some("<") => Some(">="),
        Some(">=") => Some("<"),
        Some(">") => Some("<="),
        Some("<=") => Some(">"),
        Some("==") => Some("!="),
        Some("!=") => Some("=="),
        _ => None,
    };
    if let Some(opposite) = opposite {
        let mut other = condition.clone();
        other["op"] = json!(opposite);
        changed.push(other);
    }
    changed.extend(other_numbers(condition));
    changed
}

/// The value with one of its constants changed.
fn other_numbers(value: &Value) -> Vec<Value> {
    match value {
        Value::Object(members) => {
            let mut changed = Vec::new();
            for (key, member) in members {
                let others = match member {
                    Value::Number(number) if key == "value" => near(number),
                    _ => other_numbers(member),
                };
                changed.extend(others.into_iter().map(|other| {
                    let mut value = value.clone();
                    value[key] = other;
                    value
                }));
            }
            changed
        }
        Value::Array(items) => (0..items.len())
            .flat_map(|at| other_numbers(&items[at]).into_iter().map(move |other| (at, other)))
            .map(|(at, other)| {
                let mut items = items.clone();
                items[at] = other;
                Value::Array(items)
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// Numbers near one: the next ones, half of it, twice as much.
fn near(number: &Number) -> Vec<Value> {
    let Some(value) = number.as_f64() else { return Vec::new() };
    let tried = if value.fract() == 0.0 {
        vec![value - 1.0, value + 1.0, (value / 2.0).round(), value * 2.0]
    } else {
        vec![value / 2.0, value * 2.0]
    };
    let written = |other: f64| if number.is_f64() { json!(other) } else { json!(other as i64) };
    let mut others = Vec::new();
    for other in tried.into_iter().filter(|other| *other != value).map(written) {
        if !others.contains(&other) {
            others.push(other);
        }
    }
    others
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn constraints(fields: &[&str], actions: &[&str]) -> PolicyConstraints {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        PolicyConstraints {
            allowed_fields: Some(owned(fields)),
            allowed_actions: Some(vec![("payment_tree".to_owned(), owned(actions))]),
            ..PolicyConstraints::default()
        }
    }

    fn leaf(action: &str) -> Value {
        json!({"version": "1.0", "policy_id": "p",
               "payment_tree": {"type": "action", "node_id": "n", "action": action}})
    }

    #[test]
    fn a_leaf_gets_another_action_or_a_test_before_it() {
        let found = changes(&leaf("Hold"), &constraints(&["ticks_to_deadline"], &["Release", "Hold"]));
        assert_eq!(found[0]["payment_tree"]["action"], "Release");
        let test = &found[1]["payment_tree"];
        assert_eq!(
            (&test["condition"], &test["on_true"]["action"], &test["on_false"]["action"]),
            (
                &json!({"op": "<", "left": {"field": "ticks_to_deadline"}, "right": {"value": 2.0}}),
                &json!("Release"),
                &json!("Hold")
            )
        );
        assert_eq!(found.len(), 1 + 2 * 4);
    }

    #[test]
    fn fields_of_one_unit_are_held_against_each_other() {
        let found = changes(&leaf("Release"), &constraints(&["balance", "amount"], &["Release", "Hold"]));
        let against = json!({"op": ">=", "left": {"field": "amount"}, "right": {"field": "balance"}});
        assert!(found.iter().any(|policy| policy["payment_tree"]["condition"] == against));
    }

    #[test]
    fn a_test_is_left_out_turned_round_or_gets_another_number() {
        let allowed = constraints(&["ticks_to_deadline"], &["Release", "Hold"]);
        let two = changes(&leaf("Hold"), &allowed).remove(1);
        let found = changes(&two, &allowed);
        let trees: Vec<&Value> = found.iter().map(|policy| &policy["payment_tree"]).collect();
        assert_eq!([&trees[0]["action"], &trees[1]["action"]], ["Release", "Hold"]);
        assert_eq!(trees[2]["condition"]["op"], ">=");
        let numbers: Vec<f64> =
            trees[3..6].iter().filter_map(|tree| tree["condition"]["right"]["value"].as_f64()).collect();
        assert_eq!(numbers, [1.0, 3.0, 4.0]);
        assert!(found.iter().all(|policy| *policy != two));
    }

    #[test]
    fn nothing_is_changed_that_the_constraints_do_not_name() {
        assert_eq!(changes(&leaf("Hold"), &PolicyConstraints::default()), Vec::<Value>::new());
        assert_eq!(changes(&leaf("Hold"), &constraints(&[], &["Hold"])), Vec::<Value>::new());
        let split = changes(&leaf("Hold"), &constraints(&[], &["Hold", "Split"]));
        assert_eq!(split, Vec::<Value>::new(), "a split wants to know into how many parts");
    }
}
