//! What a checkpoint holds, and what is refused.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test says so by panicking")]

use serde_json::{Value, json};

use super::*;
use crate::scenario::{self, Format, NoFiles, Overrides};

/// Payments in both queues, a split one, registers, timers, limits and arrivals with weights.
const SCENARIO: &str = r#"
simulation: {ticks_per_day: 10, num_days: 2, rng_seed: 7}
agents:
- id: A
  opening_balance: 100
  max_collateral_capacity: 900
  limits: {bilateral_limits: {B: 50}}
  policy:
    type: Inline
    decision_trees:
      version: "2.0"
      policy_id: a
      bank_tree:
        type: action
        node_id: b
        action: SetState
        parameters: {key: {value: bank_state_x}, value: {value: 0.5}, reason: {value: set}}
      strategic_collateral_tree:
        type: action
        node_id: s
        action: PostCollateral
        parameters: {amount: {value: 5.0}, auto_withdraw_after_ticks: {value: 4.0}}
      payment_tree:
        type: action
        node_id: p
        action: Split
        parameters: {num_splits: {value: 2.0}}
- id: B
  opening_balance: 10
  policy: {type: Deadline, urgency_threshold: 1}
  arrival_config:
    rate_per_tick: 1.5
    amount_distribution: {type: Uniform, min: 10, max: 90}
    counterparty_weights: {A: 1.0, C: 2.0}
    deadline_range: [2, 9]
- {id: C, opening_balance: 0}
scenario_events:
- {type: CustomTransactionArrival, from_agent: A, to_agent: B, amount: 400, schedule: {type: OneTime, tick: 0}}
- {type: CustomTransactionArrival, from_agent: C, to_agent: B, amount: 7, schedule: {type: OneTime, tick: 8}}
"#;

fn scenario() -> Arc<Scenario> {
    let (file, findings) = scenario::read(SCENARIO, Format::Yaml, &Overrides::default(), &NoFiles);
    let file = file.unwrap_or_else(|| panic!("{:?}", findings.errors().next()));
    Arc::new(file.resolve().unwrap())
}

/// The checkpoint after so many ticks.
fn after(ticks: u64) -> String {
    let mut simulation = Simulation::new(scenario());
    for _ in 0..ticks {
        simulation.step().unwrap();
    }
    simulation.checkpoint().unwrap()
}

fn document() -> Value {
    serde_json::from_str(&after(5)).unwrap()
}

#[test]
fn banks_payments_and_registers_stand_by_their_names() {
    let saved = document();
    assert_eq!((&saved["format"], &saved["complete_ticks"]), (&json!(1), &json!(5)));
    let bank = &saved["banks"]["A"];
    assert_eq!(bank["registers"], json!({"bank_state_x": 0.5}));
    assert_eq!(bank["timers"][0]["posted_at"], 1);
    assert_eq!(bank["limited_outflow_today"], json!({"B": 0}));
    assert_eq!(saved["banks"]["B"]["arrivals"]["weights"], json!({"A": 1.0, "C": 2.0}));
    let payments = saved["payments"].as_array().unwrap();
    assert_eq!(payments[0]["place"], "split");
    let part = payments.iter().find(|payment| !payment["parent"].is_null()).unwrap();
    assert_eq!(part["parent"], payments[0]["id"]);
    assert!(saved["queue2"].as_array().unwrap().contains(&part["id"]), "{saved}");
    assert!(!saved["banks"]["B"]["queue1"].as_array().unwrap().is_empty(), "{saved}");
}

#[test]
fn a_restored_simulation_has_the_same_checkpoint() {
    for ticks in [0, 1, 5, 10, 20] {
        let text = after(ticks);
        let restored = Simulation::restore(scenario(), &text).unwrap();
        assert_eq!(restored.checkpoint().unwrap(), text, "after {ticks} ticks");
        assert_eq!(restored.complete_ticks(), ticks);
    }
}

#[test]
fn numbers_beyond_json_are_texts() {
    let mut simulation = Simulation::new(scenario());
    for (value, text) in [(f64::NAN, "NaN"), (f64::INFINITY, "Infinity"), (f64::NEG_INFINITY, "-Infinity")] {
        simulation.banks[0].registers[0] = Some(value);
        let written = simulation.checkpoint().unwrap();
        let saved: Value = serde_json::from_str(&written).unwrap();
        assert_eq!(saved["banks"]["A"]["registers"]["bank_state_x"], text);
        let restored = Simulation::restore(scenario(), &written).unwrap();
        assert_eq!(restored.banks[0].registers[0].unwrap().to_bits(), value.to_bits());
    }
}

/// Changes a document.
type Damage = fn(&mut Value);

#[test]
fn what_does_not_fit_is_refused_with_the_reason() {
    let cases: &[(&str, Damage, &str)] = &[
        ("format", |saved| saved["format"] = json!(2), "format 2 is not known"),
        ("field", |saved| saved["wind"] = json!(1), "unknown field `wind`"),
        (
            "bank",
            |saved| {
                saved["banks"].as_object_mut().unwrap().shift_remove("C");
            },
            "its banks are not",
        ),
        ("collateral", |saved| saved["banks"]["A"]["posted_collateral"] = json!(901), "collateral of `A`"),
        ("register", |saved| saved["banks"]["B"]["registers"] = json!({"x": 1.0}), "no register `x`"),
        ("outflow", |saved| saved["banks"]["A"]["limited_outflow_today"] = json!({}), "outflow of `A`"),
        ("arrivals", |saved| saved["banks"]["B"]["arrivals"] = json!(null), "arrivals of `B`"),
        ("weight", |saved| saved["banks"]["B"]["arrivals"]["weights"] = json!({"A": 1.0}), "a weight"),
        ("sender", |saved| saved["payments"][0]["sender"] = json!("Z"), "no bank `Z`"),
        ("to itself", |saved| saved["payments"][0]["sender"] = json!("B"), "is not possible"),
        ("amount", |saved| saved["payments"][0]["remaining"] = json!(401), "is not possible"),
        ("parent", |saved| saved["payments"][1]["parent"] = json!("tx-000009"), "is not split"),
        ("id", |saved| saved["payments"][0]["id"] = json!("tx-1"), "not the id of a payment"),
        ("order", |saved| saved["payments"][0]["id"] = json!("tx-000099"), "out of order"),
        (
            "missing",
            |saved| {
                saved["payments"].as_array_mut().unwrap().remove(1);
            },
            "is missing",
        ),
        (
            "twice",
            |saved| {
                let first = saved["queue2"][0].clone();
                saved["queue2"].as_array_mut().unwrap().push(first);
            },
            "where it cannot stand",
        ),
        ("nowhere", |saved| saved["queue2"] = json!([]), "stands in no queue"),
        (
            "elsewhere",
            |saved| {
                let queue = saved["banks"]["B"]["queue1"].take();
                saved["banks"]["B"]["queue1"] = json!([]);
                saved["banks"]["C"]["queue1"] = queue;
            },
            "another bank",
        ),
    ];
    for (name, damage, reason) in cases {
        let mut saved = document();
        damage(&mut saved);
        let error = Simulation::restore(scenario(), &saved.to_string()).unwrap_err().to_string();
        assert!(error.contains(reason), "{name}: {error}");
    }
    assert!(Simulation::restore(scenario(), "{").is_err());
}

/// All places of a document.
fn places(value: &Value, path: &str, found: &mut Vec<String>) {
    found.push(path.to_owned());
    match value {
        Value::Object(entries) => {
            entries.iter().for_each(|(key, value)| places(value, &format!("{path}/{key}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| places(item, &format!("{path}/{at}"), found));
        }
        _ => {}
    }
}

#[test]
fn no_value_in_any_place_ends_the_program() {
    let (saved, mut found) = (document(), Vec::new());
    places(&saved, "", &mut found);
    let (mut refused, mut accepted) = (0, 0);
    for path in &found {
        for value in
            [json!(null), json!(-1), json!(0), json!(1_000_000), json!("A"), json!("tx-000003"), json!([])]
        {
            let mut damaged = saved.clone();
            *damaged.pointer_mut(path).unwrap() = value;
            match Simulation::restore(scenario(), &damaged.to_string()) {
                Err(_) => refused += 1,
                Ok(mut restored) => {
                    accepted += 1;
                    // An error of the engine is an answer too.
                    let _ = (0..3).try_for_each(|_| restored.step().map(|_| ()));
                }
            }
        }
    }
    assert!(refused > 500 && accepted > 100, "{refused} refused, {accepted} accepted");
}
