//! Cases about single rules: numbers in, numbers out.

use serde_json::{Map, Value, json};

use super::Case;
use crate::event::Text;
use crate::experiment::acceptance::{Comparison, Criteria};
use crate::experiment::analysis::diff;
use crate::experiment::convergence::{Detector, PolicyStability, Thresholds, mann_kendall};
use crate::experiment::history::Record;
use crate::experiment::ids::RunIdParts;
use crate::experiment::sampler::{Sample, SampledPayment, samples};
use crate::experiment::seeds::{iteration_seed, sample_seed};
use crate::experiment::statistics::spread;
use crate::experiment::{constraints, file, reply};
use crate::ids::{Names, PaymentId};
use crate::money::Cents;
use crate::time::Tick;

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn integers(value: &Value) -> Vec<i64> {
    list(value).iter().map(|v| v.as_i64().unwrap()).collect()
}

fn floats(value: &Value) -> Vec<f64> {
    list(value).iter().map(|v| v.as_f64().unwrap()).collect()
}

fn finite(value: f64) -> Value {
    if value.is_finite() { json!(value) } else { Value::Null }
}

#[test]
fn seeds() {
    for case in Case::of_kind("seeds", false) {
        let master = case.input["master_seed"].to_string();
        let iterations = case.input["max_iterations"].as_u64().unwrap();
        let count = case.input["num_samples"].as_u64().unwrap() as usize;
        let (mut by_iteration, mut by_sample) = (Map::new(), Map::new());
        for agent in list(&case.input["agents"]) {
            let agent = agent.as_str().unwrap();
            let seeds: Vec<u64> = (0..iterations).map(|i| iteration_seed(&master, i, agent)).collect();
            let of = |seed: &u64| (0..count).map(|k| sample_seed(*seed, k)).collect::<Vec<_>>();
            by_sample.insert(agent.to_owned(), json!(seeds.iter().map(of).collect::<Vec<_>>()));
            by_iteration.insert(agent.to_owned(), json!(seeds));
        }
        case.holds(&json!({"iteration_seeds": by_iteration, "sample_seeds": by_sample}));
    }
}

/// A record of a case; ids are numbered from 1 and named when shown.
fn record(input: &Value, number: usize, names: &Names) -> Record {
    Record {
        payment: PaymentId(number as u128),
        sender: names.find(input["sender_id"].as_str().unwrap()).unwrap(),
        receiver: names.find(input["receiver_id"].as_str().unwrap()).unwrap(),
        amount: Cents(input["amount"].as_i64().unwrap()),
        priority: input["priority"].as_u64().unwrap() as u8,
        arrival: Tick(input["original_arrival_tick"].as_u64().unwrap()),
        deadline_offset: input["deadline_offset"].as_i64().unwrap(),
        settlement_offset: input["settlement_offset"].as_u64(),
    }
}

/// A sample as the cases show it; `name` gives the id of a drawn payment.
pub fn shown_sample(
    sample: &Sample,
    agent: &str,
    ticks: u64,
    names: &Names,
    name: &dyn Fn(PaymentId, &str) -> String,
) -> Value {
    let item = |(j, item): (usize, &SampledPayment), way: &str| {
        let other = names.bank(item.counterparty);
        let (sender, receiver) = if way == "out" { (agent, other) } else { (other, agent) };
        json!({
            "amount": item.amount.0, "arrival_tick": item.arrival, "deadline_tick": item.deadline,
            "priority": item.priority, "sender_id": sender, "receiver_id": receiver,
            "settlement_tick": item.settlement, "tx_id": format!("{}:{way}:{j}", name(item.origin, way)),
        })
    };
    json!({
        "sample_idx": sample.index, "seed": sample.seed, "total_ticks": ticks,
        "outgoing": sample.outgoing.iter().enumerate().map(|i| item(i, "out")).collect::<Vec<_>>(),
        "incoming": sample.incoming.iter().enumerate().map(|i| item(i, "in")).collect::<Vec<_>>(),
    })
}

#[test]
fn sampler() {
    for case in Case::of_kind("sampler", false) {
        let input = &case.input;
        let agent = input["agent"].as_str().unwrap();
        let all = || list(&input["outgoing"]).iter().chain(list(&input["incoming"]));
        let ids = all()
            .flat_map(|r| [&r["sender_id"], &r["receiver_id"]])
            .map(|id| Text::from(id.as_str().unwrap()));
        let names = Names::new(ids);
        let records = |key: &str| -> Vec<Record> {
            list(&input[key]).iter().enumerate().map(|(i, r)| record(r, i, &names)).collect()
        };
        let ticks = input["total_ticks"].as_u64().unwrap();
        let count = input["num_samples"].as_u64().unwrap() as usize;
        let drawn = samples(
            &records("outgoing"),
            &records("incoming"),
            input["seed"].as_u64().unwrap(),
            count,
            ticks,
        );
        let name = |id: PaymentId, way: &str| {
            let (key, prefix) = if way == "out" { ("outgoing", 'o') } else { ("incoming", 'i') };
            let given = input[key][id.0 as usize].get("tx_id").and_then(Value::as_str);
            given.map_or_else(|| format!("{prefix}{}", id.0), str::to_owned)
        };
        let shown: Vec<Value> = drawn.iter().map(|s| shown_sample(s, agent, ticks, &names, &name)).collect();
        case.holds(&json!({"samples": shown}));
    }
}

#[test]
fn mann_kendall_test() {
    for case in Case::of_kind("mk", false) {
        let test = |series| {
            let found = mann_kendall(&floats(series));
            json!({"s": found.statistic, "var_s": found.variance, "z": found.z, "p_value": found.p_value,
                   "has_trend": found.has_trend})
        };
        case.holds(&json!({"tests": list(&case.input["series"]).iter().map(test).collect::<Vec<_>>()}));
    }
}

#[test]
fn statistics() {
    for case in Case::of_kind("statistics", false) {
        let figures = |values| {
            let found = spread(&integers(values));
            json!({"std_dev": found.map(|f| f.deviation), "ci_95_lower": found.map(|f| f.interval.lower),
                   "ci_95_upper": found.map(|f| f.interval.upper)})
        };
        case.holds(&json!({"results": list(&case.input["samples"]).iter().map(figures).collect::<Vec<_>>()}));
    }
}

#[test]
fn convergence() {
    for case in Case::of_kind("convergence", false) {
        case.holds(&json!({"runs": list(&case.input["runs"]).iter().map(detector_run).collect::<Vec<_>>()}));
    }
}

fn detector_run(run: &Value) -> Vec<Value> {
    let thresholds = Thresholds {
        stability: run["stability_threshold"].as_f64().unwrap_or(0.05),
        window: run["stability_window"].as_u64().unwrap() as usize,
        variation: run["cv_threshold"].as_f64().unwrap_or(0.03),
        regret: run["regret_threshold"].as_f64().unwrap_or(0.1),
    };
    let bootstrap = run["detector"] == "bootstrap";
    let mut detector =
        if bootstrap { Detector::bootstrap(thresholds) } else { Detector::stability(thresholds) };
    let cap = run["max_iterations"].as_u64().unwrap() as usize;
    let mut steps = Vec::new();
    for (step, metric) in floats(&run["metrics"]).into_iter().enumerate() {
        let reason = detector.record(metric);
        let converged = reason.is_some();
        let reason = reason.or_else(|| (step + 1 == cap).then(|| format!("Max iterations reached ({cap})")));
        let mut shown = json!({"converged": converged, "reason": reason, "best": detector.best()});
        if bootstrap {
            let found = detector.diagnostics().unwrap();
            shown["diagnostics"] = json!({
                "cv": finite(found.variation), "trend_statistic": found.trend.statistic,
                "trend_p_value": found.trend.p_value, "has_trend": found.trend.has_trend,
                "regret": finite(found.regret),
            });
        }
        steps.push(shown);
        if reason.is_some() {
            break;
        }
    }
    steps
}

#[test]
fn acceptance() {
    for case in Case::of_kind("acceptance", false) {
        let trial = |trial: &Value| {
            let rate = trial["settlement_rate"].as_f64().unwrap_or(1.0);
            let found = Comparison::new(&integers(&trial["old"]), &integers(&trial["new"]), rate);
            let verdict = found.judge(&Criteria {
                min_settlement_rate: trial["min_settlement_rate"].as_f64().unwrap_or(0.95),
                require_significance: trial["require_statistical_significance"].as_bool().unwrap_or(false),
                max_variation: trial["max_coefficient_of_variation"].as_f64(),
            });
            json!({
                "accepted": verdict.accepted, "reason": verdict.reason, "mean_old": found.mean_old,
                "mean_new": found.mean_new, "deltas": found.deltas, "delta_sum": found.delta_sum as i64,
                "std_dev": found.new_spread.map(|s| s.deviation), "ci": found.interval.map(|i| [i.lower, i.upper]),
            })
        };
        case.holds(&json!({"trials": list(&case.input["trials"]).iter().map(trial).collect::<Vec<_>>()}));
    }
}

#[test]
fn policy_stability() {
    for case in Case::of_kind("stability", false) {
        let run = |run: &Value| {
            let agents: Vec<String> = serde_json::from_value(run["agents"].clone()).unwrap();
            let mut tracker = PolicyStability::new(&agents, run["window"].as_u64().unwrap() as usize);
            let mut stable = Vec::new();
            for entry in list(&run["record"]) {
                for pair in list(&entry[1]) {
                    let (agent, fraction) = (pair[0].as_str().unwrap(), pair[1].as_f64().unwrap());
                    tracker.record(agent, entry[0].as_u64().unwrap(), fraction);
                }
                stable.push(tracker.all_stable());
            }
            let history: Map<String, Value> =
                agents.iter().map(|agent| (agent.clone(), json!(tracker.history(agent)))).collect();
            json!({"stable_after_each": stable, "history": history})
        };
        case.holds(&json!({"runs": list(&case.input["runs"]).iter().map(run).collect::<Vec<_>>()}));
    }
}

#[test]
fn replies() {
    for case in Case::of_kind("reply", false) {
        let read = |text: &Value| match reply::read(text.as_str().unwrap()) {
            Ok(policy) => json!({"policy": policy}),
            Err(error) if error.ends_with("not an object") => json!({"error": error}),
            Err(error) => json!({"error": format!("{}:", error.split(':').next().unwrap())}),
        };
        case.holds(&json!({"replies": list(&case.input["replies"]).iter().map(read).collect::<Vec<_>>()}));
    }
}

#[test]
fn policy_differences() {
    for case in Case::of_kind("diff", false) {
        let pair = |pair: &Value| {
            let changes: Map<String, Value> = diff::changes(&pair[0], &pair[1])
                .into_iter()
                .map(|c| (c.key, json!({"before": c.before, "after": c.after})))
                .collect();
            json!({"text": diff::text(&pair[0], &pair[1]), "changes": changes})
        };
        case.holds(&json!({"diffs": list(&case.input["pairs"]).iter().map(pair).collect::<Vec<_>>()}));
    }
}

#[test]
fn run_ids() {
    for case in Case::of_kind("runid", false) {
        let parse = |id: &Value| {
            let parts = RunIdParts::parse(id.as_str().unwrap());
            json!(parts.map(|p| [p.name, p.date, p.time, p.suffix]))
        };
        case.holds(&json!({"parsed": list(&case.input["ids"]).iter().map(parse).collect::<Vec<_>>()}));
    }
}

#[test]
fn constraint_violations() {
    for case in Case::of_kind("constraints", false) {
        let block = serde_json::to_string(&case.input["policy_constraints"]).unwrap();
        let text = format!(
            "{{\"name\": x, \"scenario\": s, \"evaluation\": {{\"ticks\": 1}}, \"convergence\": {{}}, \
             \"optimized_agents\": [A], \"policy_constraints\": {block}}}"
        );
        let (experiment, findings) = file::Experiment::read(&text, &|_| Err("none".to_owned()));
        let rules: constraints::PolicyConstraints =
            experiment.unwrap_or_else(|| panic!("{findings:?}")).policy_constraints.unwrap();
        let found: Vec<_> =
            list(&case.input["policies"]).iter().map(|policy| rules.violations(policy)).collect();
        case.holds(&json!({"violations": found}));
    }
}
