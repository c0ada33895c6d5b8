//! Policies of optimised agents: their JSON, the fraction that they ask for, and how they are applied
//! (spec 07, 2).

use std::sync::Arc;

use serde_json::{Value, json};

use crate::document::{self, Node};
use crate::finding::Findings;
use crate::persistence::PolicyAuthor;
pub use crate::policy::FRACTION;
use crate::policy::PolicyDocument;
use crate::scenario::{self, Agent, NoFiles, Overrides, Policy, PolicySpec};

/// The trees that a policy can have, in the order in which they are checked.
pub const TREES: [&str; 4] =
    ["payment_tree", "bank_tree", "strategic_collateral_tree", "end_of_tick_collateral_tree"];

/// The fraction of a policy that names none.
pub const DEFAULT_FRACTION: f64 = 0.5;

/// A policy that an agent can run under. Clones share it.
#[derive(Clone, Debug)]
pub struct AgentPolicy(Arc<Built>);

#[derive(Debug)]
struct Built {
    json: Value,
    fraction: f64,
    policy: Policy,
    author: PolicyAuthor,
}

impl AgentPolicy {
    /// Builds a policy from its JSON.
    ///
    /// # Errors
    /// Why it is none: the messages of the check (document 04 for trees, 01 for built-in types).
    pub fn build(json: Value, author: PolicyAuthor) -> Result<Self, String> {
        let policy = if has_tree(&json) { tree_policy(&json) } else { built_in_policy(&json) };
        let policy = policy.map_err(|findings| messages(&findings))?;
        Ok(Self(Arc::new(Built { fraction: fraction(&json), json, policy, author })))
    }

    /// As it was proposed.
    #[must_use]
    pub fn json(&self) -> &Value {
        &self.0.json
    }

    /// Its trees; those of a built-in type too.
    #[must_use]
    pub fn document(&self) -> &PolicyDocument {
        self.0.policy.document()
    }

    /// Whoever proposed it.
    #[must_use]
    pub fn author(&self) -> PolicyAuthor {
        self.0.author
    }

    /// The parameter `initial_liquidity_fraction`, if it has it; the top-level key does not count.
    #[must_use]
    pub fn fraction_parameter(&self) -> Option<f64> {
        fraction_parameter(&self.0.json).and_then(Value::as_f64)
    }

    /// Gives a bank this policy and, if it has a pool, its fraction.
    pub fn apply_to(&self, bank: &mut Agent) {
        if bank.liquidity_pool.is_some() {
            bank.liquidity_allocation_fraction = Some(self.0.fraction);
        }
        bank.policy = self.0.policy.clone();
    }
}

/// Findings as one line.
pub fn messages(findings: &Findings) -> String {
    let texts: Vec<String> = findings.errors().map(ToString::to_string).collect();
    texts.join("; ")
}

fn tree_policy(json: &Value) -> Result<Policy, Findings> {
    let mut findings = Findings::default();
    let document = PolicyDocument::read(&Node::from_json(json), "", &mut findings);
    match document {
        Some(document) if !findings.has_errors() => Policy::new(PolicySpec::Document(Arc::new(document))),
        _ => Err(findings),
    }
}

/// A built-in type of the scenario format, read as the scenario reader reads it; keys of the policy
/// format are no part of it.
fn built_in_policy(json: &Value) -> Result<Policy, Findings> {
    let mut keys = json.as_object().cloned().unwrap_or_default();
    for key in ["version", "policy_id", "parameters", FRACTION] {
        keys.remove(key);
    }
    let bank = Node::map([
        ("id", Node::text("agent")),
        ("opening_balance", Node::int(0)),
        ("policy", Node::from_json(&Value::Object(keys))),
    ]);
    let day = [("ticks_per_day", Node::int(1)), ("num_days", Node::int(1)), ("rng_seed", Node::int(0))];
    let agents = Node::new(document::Value::List(vec![bank]));
    let around = Node::map([("simulation", Node::map(day)), ("agents", agents)]);
    let (scenario, findings) = scenario::read_node(around, &Overrides::default(), &NoFiles);
    let policy = scenario.and_then(|scenario| scenario.agents.into_iter().next()).map(|bank| bank.policy);
    policy.ok_or(findings)
}

/// The default policy of an agent with a fraction of its pool.
#[must_use]
pub fn default_policy(agent: &str, fraction: impl Into<Value>) -> Value {
    json!({
        "version": "2.0",
        "policy_id": format!("{agent}_default"),
        "parameters": {FRACTION: fraction.into()},
        "payment_tree": {"type": "action", "node_id": "default_release", "action": "Release"},
        "strategic_collateral_tree":
            {"type": "action", "node_id": "hold_collateral", "action": "HoldCollateral"},
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
    policy.get("parameters")?.get(FRACTION)
}

/// The fraction as the policy gives it: its parameter, else its top-level key.
#[must_use]
pub fn fraction_given(policy: &Value) -> Option<&Value> {
    fraction_parameter(policy).or_else(|| policy.get(FRACTION))
}

/// The fraction of the pool that the policy asks for.
#[must_use]
pub fn fraction(policy: &Value) -> f64 {
    fraction_given(policy).and_then(Value::as_f64).unwrap_or(DEFAULT_FRACTION)
}
