//! Policies of optimised agents as JSON: the default one, and the fraction that one asks for (spec 07, 2).

use serde_json::{Value, json};

/// The trees that a policy can have, in the order in which they are checked.
pub const TREES: [&str; 4] =
    ["payment_tree", "bank_tree", "strategic_collateral_tree", "end_of_tick_collateral_tree"];

/// The fraction of a policy that names none.
pub const DEFAULT_FRACTION: f64 = 0.5;

/// The default policy of an agent with a fraction of its pool.
#[must_use]
pub fn default_policy(agent: &str, fraction: impl Into<Value>) -> Value {
    json!({
        "version": "2.0",
        "policy_id": format!("{agent}_default"),
        "parameters": {"initial_liquidity_fraction": fraction.into()},
        "payment_tree": {"type": "action", "node_id": "default_release", "action": "Release"},
        "strategic_collateral_tree": {"type": "action", "node_id": "hold_collateral", "action": "HoldCollateral"},
    })
}

/// Whether a policy has a tree; otherwise it is one of the built-in types.
#[must_use]
pub fn has_tree(policy: &Value) -> bool {
    TREES.iter().any(|tree| policy.get(tree).is_some_and(|tree| !tree.is_null()))
}

/// The parameter `initial_liquidity_fraction` of a policy.
#[must_use]
pub fn fraction_parameter(policy: &Value) -> Option<&Value> {
    policy.get("parameters")?.get("initial_liquidity_fraction")
}

/// The fraction as the policy gives it: its parameter, else its top-level key.
#[must_use]
pub fn fraction_given(policy: &Value) -> Option<&Value> {
    fraction_parameter(policy).or_else(|| policy.get("initial_liquidity_fraction"))
}

/// The fraction of the pool that the policy asks for.
#[must_use]
pub fn fraction(policy: &Value) -> f64 {
    fraction_given(policy).and_then(Value::as_f64).unwrap_or(DEFAULT_FRACTION)
}
