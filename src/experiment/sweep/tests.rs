//! Sweeps as files and as points: what is refused, what is combined, what is tabulated.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a failing test says enough")]

use serde_json::{Value, json};

use super::figures::Figure;
use super::table::{Estimate, Record, shown, summarise};
use super::{Points, Sweep};
use crate::experiment::file::Experiment;
use crate::persistence::{SweepPoint, SweepPointStatus};
use crate::scenario::{Format, NoFiles, Overrides, ScenarioFile, read};

const DAY: &str = r#"
simulation: {ticks_per_day: 4, num_days: 1, rng_seed: 1}
agents:
  - {id: A, opening_balance: 100, liquidity_pool: 50}
  - id: B
    opening_balance: 100
    policy:
      type: Inline
      decision_trees:
        version: "2.0"
        policy_id: buffer
        parameters: {target_buffer: 5}
        payment_tree: {type: action, node_id: N, action: Release}
"#;

fn day() -> ScenarioFile {
    let (file, findings) = read(DAY, Format::Yaml, &Overrides::default(), &NoFiles);
    file.unwrap_or_else(|| panic!("{findings:?}"))
}

/// A file with this `sweep` block, and further lines.
fn file(sweep: &str, further: &str) -> String {
    format!("name: s\nscenario: day.yaml\nevaluation: {{ticks: 4}}\nsweep: {sweep}\n{further}")
}

/// The experiment, or the messages of its errors.
fn experiment(sweep: &str, further: &str) -> Result<Experiment, String> {
    let policy = |path: &str| match path {
        "wait.json" => Ok(r#"{"version": "2.0", "policy_id": "wait", "parameters": {},
            "payment_tree": {"type": "action", "node_id": "N", "action": "Hold"}}"#
            .to_owned()),
        _ => Err("there is none".to_owned()),
    };
    let (experiment, findings) = Experiment::read(&file(sweep, further), &policy);
    let texts: Vec<String> = findings.0.iter().map(ToString::to_string).collect();
    experiment.ok_or_else(|| texts.join("\n"))
}

fn sweep(text: &str) -> Sweep {
    experiment(text, "").unwrap_or_else(|error| panic!("{error}")).sweep.unwrap()
}

/// The only axis's values.
fn values(axis: &str) -> Vec<Value> {
    let text = format!("{{vary: [{{scenario: cost_rates.split_friction_cost, {axis}}}]}}");
    sweep(&text).vary[0].values.iter().map(crate::document::Node::to_json).collect()
}

#[test]
fn a_file_is_refused_with_its_reason() {
    let axis = "{scenario: cost_rates.split_friction_cost, values: [1, 2]}";
    let with = |rest: &str| format!("{{vary: [{axis}], {rest}}}");
    let ranged =
        |range: &str| format!("{{vary: [{{scenario: cost_rates.split_friction_cost, range: {range}}}]}}");
    let cases: &[(String, &str)] = &[
        ("{}".into(), "`vary` is missing"),
        ("{vary: []}".into(), "must have at least one axis"),
        ("{vary: [{scenario: a.b}]}".into(), "the axis `a.b` has no values"),
        ("{vary: [{scenario: a.b, values: []}]}".into(), "the axis `a.b` has no values"),
        ("{vary: [{scenario: a.b, values: [1, 1]}]}".into(), "`a.b` has the value 1 twice"),
        (format!("{{vary: [{axis}, {axis}]}}"), "`cost_rates.split_friction_cost` is varied twice"),
        ("{vary: [{values: [1]}]}".into(), "an axis has either `scenario: PATH`"),
        ("{vary: [{scenario: a, policy: all, parameter: x, values: [1]}]}".into(), "an axis has either"),
        ("{vary: [{policy: A, values: [1]}]}".into(), "an axis has either"),
        ("{vary: [{policy: A, parameter: p, values: [x]}]}".into(), "`policy[A].p`: a parameter is a number"),
        ("{vary: [{scenario: 'a[', values: [1]}]}".into(), "`a[` is no path of a setting"),
        ("{vary: [{scenario: simulation.rng_seed, values: [1]}]}".into(), "`repetitions` runs every point"),
        ("{vary: [{scenario: a.b, values: [1], range: {from: 0, to: 1, step: 1}}]}".into(), "both `values`"),
        (ranged("{from: 0, to: 1}"), "`step` is missing"),
        (ranged("{from: 0, to: 1, step: 0}"), "`step` must not be 0"),
        (ranged("{from: 0, to: 1, step: -1}"), "`step` leads away from `to`"),
        (ranged("{from: 0, to: 1, step: 0.000001}"), "the range has 1000001 values"),
        (ranged("{from: 0, to: .inf, step: 1}"), "finite numbers with at most 18 decimals"),
        (with("design: star"), "`star` is not one of `grid`, `zip`"),
        (with("repetitions: 0"), "is out of range"),
        (with("repetitions: 60000"), "points times repetitions are 120000 runs; at most 100000"),
        (with("metrics: [total_costs]"), "`total_costs` is no figure, did you mean `total_cost`?"),
        (with("metrics: []"), "must name at least one figure"),
        (
            format!("{{design: zip, vary: [{axis}, {{scenario: c.d, values: [1, 2, 3]}}]}}"),
            "`cost_rates.split_friction_cost` has 2, `c.d` has 3",
        ),
        (
            "{vary: [{scenario: 'agents[A].policy', values: [{type: FromJson, json_path: no.json}]}]}".into(),
            "the policy `no.json` cannot be read: there is none",
        ),
    ];
    for (text, reason) in cases {
        match experiment(text, "") {
            Ok(_) => panic!("accepted: {text}"),
            Err(said) => assert!(said.contains(reason), "{text}:\n{said}\nlacks: {reason}"),
        }
    }
}

#[test]
fn what_improves_is_refused_beside_a_sweep() {
    let block = "{vary: [{scenario: cost_rates.split_friction_cost, values: [1]}]}";
    for line in [
        "optimized_agents: [A]",
        "convergence: {}",
        "llm: {model: search}",
        "proposer: search",
        "policy_constraints: {}",
    ] {
        let said = experiment(block, line).unwrap_err();
        let key = line.split(':').next().unwrap();
        assert!(said.contains(&format!("`{key}` is not allowed beside `sweep`")), "{said}");
        assert!(!said.contains("unknown key"), "{said}");
    }
    let (_, findings) = Experiment::read("sweep: {}\nname: s", &|_| Err(String::new()));
    assert_eq!(findings.0[0].message, "Missing required fields: ['scenario', 'evaluation']");
}

#[test]
fn ranges_are_exact_decimals_with_their_end() {
    for (range, expected) in [
        ("{from: 0, to: 6, step: 2}", json!([0, 2, 4, 6])),
        ("{from: 0, to: 7, step: 3}", json!([0, 3, 6])),
        ("{from: 3, to: 1, step: -1}", json!([3, 2, 1])),
        ("{from: 5, to: 5, step: 1}", json!([5])),
        ("{from: 0, to: 0.5, step: 0.1}", json!([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])),
        ("{from: 0.7, to: 1, step: 0.1}", json!([0.7, 0.8, 0.9, 1.0])),
        ("{from: 0.00001, to: 0.00003, step: 1e-5}", json!([0.00001, 0.00002, 0.00003])),
    ] {
        assert_eq!(Value::from(values(&format!("range: {range}"))), expected, "{range}");
    }
    assert_eq!(values("range: {from: 0, to: 1, step: 0.001}").len(), 1001);
}

#[test]
fn a_grid_varies_its_last_axis_fastest_and_a_zip_all_together() {
    let axes = "vary: [{scenario: a.x, values: [1, 2]}, {policy: all, parameter: p, values: [3, 4]}]";
    let settings = |design: &str| {
        let sweep = sweep(&format!("{{design: {design}, {axes}}}"));
        (0..sweep.points().unwrap()).map(|point| Value::Object(sweep.settings(point))).collect::<Vec<_>>()
    };
    let at = |x: i32, p: i32| json!({"a.x": x, "policy[all].p": p});
    assert_eq!(settings("grid"), [at(1, 3), at(1, 4), at(2, 3), at(2, 4)]);
    assert_eq!(settings("zip"), [at(1, 3), at(2, 4)]);
}

/// What the check of the points says of a sweep over the day.
fn checked(text: &str) -> Result<(), String> {
    let experiment = experiment(text, "").unwrap_or_else(|error| panic!("{error}"));
    let sweep = experiment.sweep.as_ref().unwrap();
    let found = Points::new(sweep, &day(), &experiment.files).check();
    found.map_err(|findings| findings.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

#[test]
fn points_that_cannot_run_are_named_by_axis_and_value() {
    let axis = |target: &str, values: &str| format!("{{vary: [{{{target}, values: [{values}]}}]}}");
    for (text, reason) in [
        (
            axis("scenario: 'agents[*].unsecured_cup'", "1"),
            "no setting `agents[*].unsecured_cup`, did you mean `agents[*].unsecured_cap`? (sweep.vary[0])",
        ),
        (
            axis("scenario: 'agents[A].unsecured_cap'", "1, -2"),
            "agents[A].unsecured_cap = -2: the integer `-2` is out of range",
        ),
        (axis("scenario: 'agents[A].unsecured_cap'", "1, -2"), "(sweep.vary[0].values[1])"),
        (
            axis("scenario: 'agents[A].opening_balance'", "1, 2.5"),
            "agents[A].opening_balance = 2.5: expected",
        ),
        (axis("policy: C, parameter: p", "1"), "the scenario has no bank `C`"),
        (axis("policy: A, parameter: p", "1"), "the policy of `A` has no trees and so no parameters"),
        (
            axis("policy: B, parameter: target_bufer", "1"),
            "the policy of `B` has no parameter `target_bufer`, did you mean `target_buffer`?",
        ),
        (
            "{design: zip, vary: [{scenario: 'agents[A].max_collateral_capacity', values: [9, 9.5]},
              {scenario: 'agents[A].posted_collateral', values: [9, 10]}]}"
                .to_owned(),
            "agents[A].max_collateral_capacity = 9.5: expected an integer",
        ),
        (
            "{vary: [{scenario: 'agents[A].max_collateral_capacity', values: [9, 20]},
              {scenario: 'agents[A].posted_collateral', values: [5, 10]},
              {scenario: 'agents[A].unsecured_cap', values: [1]}]}"
                .to_owned(),
            "point 1 (agents[A].max_collateral_capacity = 9, agents[A].posted_collateral = 10, \
             agents[A].unsecured_cap = 1): bank `A` posts 10, above its collateral capacity 9",
        ),
    ] {
        let said = checked(&text).unwrap_err();
        assert!(said.contains(reason), "{text}:\n{said}\nlacks: {reason}");
    }
}

#[test]
fn no_axis_sets_what_another_one_sets() {
    let pair = |one: &str, other: &str| format!("{{vary: [{{{one}}}, {{{other}}}]}}");
    for (one, other, said) in [
        (
            "scenario: 'agents[*].unsecured_cap', values: [1, 2]",
            "scenario: 'agents[A].unsecured_cap', values: [3]",
            "`agents[A].unsecured_cap` sets what `agents[*].unsecured_cap` sets too",
        ),
        (
            "scenario: 'agents[1].unsecured_cap', values: [1]",
            "scenario: 'agents[B].unsecured_cap', values: [3]",
            "`agents[B].unsecured_cap` sets what `agents[1].unsecured_cap` sets too",
        ),
        (
            "policy: B, parameter: target_buffer, values: [1, 2]",
            "scenario: 'agents[B].policy', values: [{type: Fifo}]",
            "`agents[B].policy` sets what `policy[B].target_buffer` sets too",
        ),
    ] {
        let found = checked(&pair(one, other)).unwrap_err();
        assert!(found.contains(said) && found.contains("sweep.vary[1]"), "{found}\nlacks: {said}");
    }
    let apart = pair(
        "scenario: 'agents[A].unsecured_cap', values: [1]",
        "scenario: 'agents[B].unsecured_cap', values: [1]",
    );
    assert_eq!(checked(&apart), Ok(()));
}

#[test]
fn values_may_repeat_where_they_are_taken_together() {
    let axes = "vary: [{scenario: a.b, values: [1, 1]}, {scenario: c.d, values: [1, 2]}]";
    assert_eq!(sweep(&format!("{{design: zip, {axes}}}")).points(), Some(2));
    assert!(experiment(&format!("{{{axes}}}"), "").unwrap_err().contains("`a.b` has the value 1 twice"));
}

#[test]
fn every_kind_of_axis_reaches_the_scenario() {
    let text = "{vary: [{scenario: 'agents[A].policy', values: [{type: Fifo}, {type: FromJson, json_path: wait.json}]},
        {scenario: lsm_config.enable_cycles, values: [false]}, {policy: B, parameter: target_buffer, values: [7.5]}]}";
    assert_eq!(checked(text), Ok(()));
    let experiment = experiment(text, "").unwrap();
    let sweep = experiment.sweep.as_ref().unwrap();
    let scenario = Points::new(sweep, &day(), &experiment.files).scenario(1).unwrap();
    assert_eq!(&**scenario.agents[0].policy.document().id(), "wait");
    assert_eq!(scenario.agents[1].policy.document().parameter("target_buffer"), Some(7.5));
    assert!(!scenario.lsm_config.enable_cycles);
    let config = experiment.to_config("none", "none");
    let keys: Vec<&str> = config.keys().map(String::as_str).collect();
    let expected =
        ["name", "description", "scenario_path", "master_seed", "evaluation", "persist_simulations", "sweep"];
    assert_eq!(keys, expected);
    assert_eq!(
        config["sweep"]["vary"][2],
        json!({"policy": "B", "parameter": "target_buffer", "values": [7.5]})
    );
    assert_eq!(config["sweep"]["metrics"][0], "total_cost");
}

#[test]
fn points_are_summed_up_with_mean_and_standard_error() {
    let row = |point: u32, status: SweepPointStatus, figures: Option<Value>| SweepPoint {
        point,
        repetition: 0,
        settings: format!("{{\"x\":{point}}}"),
        rng_seed: 1,
        status,
        simulation_id: None,
        figures: figures.map(|figures| figures.to_string()),
        completed_at: None,
    };
    let figures = |cost: i64, rate: f64| Some(json!({"total_cost": cost, "settlement_rate": rate}));
    let rows = [
        row(1, SweepPointStatus::Failed, Some(json!({"error": "overflow"}))),
        row(1, SweepPointStatus::Pending, None),
        row(0, SweepPointStatus::Completed, figures(100, 0.5)),
        row(0, SweepPointStatus::Completed, figures(200, 1.0)),
        row(2, SweepPointStatus::Completed, figures(-1250, 1.0)),
    ];
    let metrics = ["total_cost", "settlement_rate"].map(|name| Figure::find(name).unwrap());
    let points = summarise(rows.iter().map(Record::from), &metrics);
    assert_eq!(points[0].estimates[0], Some(Estimate { mean: 150.0, error: Some(50.0) }));
    assert_eq!(
        (points[1].progress().as_str(), points[1].error.as_deref()),
        ("0 of 2, 1 failed", Some("overflow"))
    );
    let text = |point: usize, at: usize| shown(metrics[at], points[point].estimates[at]);
    assert_eq!([text(0, 0), text(0, 1)], ["$1.50 ± $0.50", "75.00% ± 25.00%"]);
    assert_eq!([text(1, 0), text(2, 0)], ["–", "-$12.50"]);
    assert_eq!(
        points[0].to_json(&metrics)["figures"]["total_cost"],
        json!({"mean": 150.0, "standard_error": 50.0})
    );
}
