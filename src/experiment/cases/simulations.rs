//! Cases that simulate: histories, the sandbox, cost tables, what an agent sees.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::{Map, Value, json};

use super::figures::shown_sample;
use super::loops::{read_experiment, read_scenario};
use super::{Case, yaml};
use crate::document::Node;
use crate::event::Event;
use crate::experiment::history::{History, Record};
use crate::experiment::isolation::is_visible;
use crate::experiment::laboratory::{Laboratory, SampleOutcome};
use crate::experiment::outcome::{Tally, breakdown};
use crate::experiment::policies::{AgentPolicy, default_policy};
use crate::experiment::sampler::{Sample, SampledPayment, samples};
use crate::experiment::seeds::iteration_seed;
use crate::ids::{BankIdx, Names, PaymentId};
use crate::money::Cents;
use crate::persistence::PolicyAuthor;
use crate::run::{self, CancelFlag, SimulationRequest, TickReport};
use crate::scenario::{NoFiles, Overrides, Scenario, ScenarioFile, read_node};
use crate::time::Tick;

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn texts(value: &Value) -> Vec<String> {
    list(value).iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// All events of a run of the whole scenario.
fn events(scenario: &Arc<Scenario>) -> Vec<(Tick, Event)> {
    let mut all = Vec::new();
    let mut observer =
        |report: &TickReport<'_>| all.extend(report.events.iter().map(|event| (report.tick, event.clone())));
    let request = SimulationRequest { scenario: scenario.clone(), ticks: scenario.calendar.end().0 };
    let finished = run::simulate(&request, None, &mut observer, &CancelFlag::default()).unwrap();
    assert_eq!(finished.outcome, run::Outcome::Completed);
    all
}

fn resolved(file: &ScenarioFile) -> Arc<Scenario> {
    Arc::new(file.resolve().unwrap())
}

fn with_seed(mut file: ScenarioFile, seed: &Value) -> ScenarioFile {
    file.seed = seed.as_u64().unwrap_or(file.seed);
    file
}

#[test]
fn histories_and_their_samples() {
    for case in Case::of_kind("history", false) {
        let scenario = resolved(&with_seed(read_scenario(&case, "scenario.yaml"), &case.input["seed"]));
        let events = events(&scenario);
        let mut history = History::new();
        events.iter().for_each(|(tick, event)| history.observe(*tick, event));
        let (seed, ticks) = (case.input["seed"].as_u64().unwrap(), scenario.calendar.end().0);
        let count = case.input["num_samples"].as_u64().unwrap_or(0) as usize;
        let names = &scenario.names;
        let record = |record: &Record| {
            json!({
                "tx_id": format!("tx#{}", record.payment.0), "amount": record.amount.0, "priority": record.priority,
                "sender_id": names.bank(record.sender), "receiver_id": names.bank(record.receiver),
                "original_arrival_tick": record.arrival.0, "deadline_offset": record.deadline_offset,
                "settlement_offset": record.settlement_offset,
            })
        };
        let agent = |id: String| {
            let bank = names.find(&id).unwrap();
            let (outgoing, incoming) = (history.outgoing(bank), history.incoming(bank));
            let name = |payment: PaymentId, _: &str| format!("tx#{}", payment.0);
            let drawn = samples(&outgoing, &incoming, seed, count, ticks);
            let shown: Vec<Value> = drawn.iter().map(|s| shown_sample(s, &id, ticks, names, &name)).collect();
            let shown = json!({
                "outgoing": outgoing.iter().map(record).collect::<Vec<_>>(),
                "incoming": incoming.iter().map(record).collect::<Vec<_>>(), "samples": shown,
            });
            (id, shown)
        };
        let agents: Map<String, Value> = texts(&case.input["agents"]).into_iter().map(agent).collect();
        case.holds(&json!({"num_events": events.len(), "agents": agents}));
    }
}

#[test]
fn what_an_agent_may_see() {
    for case in Case::of_kind("isolation", false) {
        let scenario = resolved(&with_seed(read_scenario(&case, "scenario.yaml"), &case.input["seed"]));
        let events = events(&scenario);
        let mut hidden: BTreeMap<&str, usize> = BTreeMap::new();
        let banks: Vec<(String, BankIdx)> = texts(&case.input["agents"])
            .into_iter()
            .map(|id| {
                let bank = scenario.names.find(&id).unwrap();
                (id, bank)
            })
            .collect();
        for (_, event) in &events {
            if !banks.iter().any(|(_, bank)| is_visible(event, *bank)) {
                *hidden.entry(event.kind().name()).or_default() += 1;
            }
        }
        let agents: Map<String, Value> = banks
            .into_iter()
            .map(|(id, bank)| {
                let mut by_type: BTreeMap<&str, usize> = BTreeMap::new();
                let visible: Vec<usize> =
                    (0..events.len()).filter(|index| is_visible(&events[*index].1, bank)).collect();
                for index in &visible {
                    *by_type.entry(events[*index].1.kind().name()).or_default() += 1;
                }
                (id, json!({"by_type": by_type, "visible_event_indexes": visible}))
            })
            .collect();
        case.holds(&json!({"agents": agents, "hidden_from_all": hidden, "num_events": events.len()}));
    }
}

#[test]
fn costs_in_the_sandbox() {
    for case in Case::of_kind("sandbox", false) {
        let input = &case.input;
        let ticks = input["total_ticks"].as_u64().unwrap();
        let mut scenario = input["scenario"].clone();
        scenario["simulation"] = json!({"ticks_per_day": ticks, "num_days": 1, "rng_seed": 1});
        let (file, findings) = read_node(Node::from_json(&scenario), &Overrides::default(), &NoFiles);
        let file = file.unwrap_or_else(|| panic!("{}: {findings:?}", case.name));
        let agent = input["agent"].as_str().unwrap();
        let names = Names::new(file.agents.iter().map(|bank| bank.id.clone()));
        let other =
            file.agents.iter().find(|bank| &*bank.id != agent).map_or(agent, |bank| &bank.id).to_owned();
        let lab = Laboratory::new(file, &[agent.to_owned()], ticks, "", None, CancelFlag::default()).unwrap();
        let evaluate = |input: &Value, policy: &Value| {
            let policy = AgentPolicy::build(policy.clone(), PolicyAuthor::Script).unwrap();
            let sample = given_sample(input, &names, &other);
            let outcome = lab.sample_run(0, &sample, &policy, None).unwrap();
            shown_outcome(&outcome)
        };
        let evaluations: Vec<Vec<Value>> = list(&input["samples"])
            .iter()
            .map(|sample| list(&input["policies"]).iter().map(|policy| evaluate(sample, policy)).collect())
            .collect();
        case.holds(&json!({"evaluations": evaluations}));
    }
}

fn given_sample(input: &Value, names: &Names, other: &str) -> Sample {
    let payment = |item: &Value| SampledPayment {
        origin: PaymentId(1),
        counterparty: names.find(item["receiver_id"].as_str().unwrap_or(other)).unwrap(),
        amount: Cents(item["amount"].as_i64().unwrap()),
        priority: item["priority"].as_u64().unwrap_or(5) as u8,
        arrival: item["arrival_tick"].as_u64().unwrap_or(0),
        deadline: item["deadline_tick"].as_i64().unwrap_or(0),
        settlement: item["settlement_tick"].as_u64(),
    };
    Sample {
        index: 0,
        seed: input["seed"].as_u64().unwrap(),
        outgoing: list(&input["outgoing"]).iter().map(payment).collect(),
        incoming: list(&input["incoming"]).iter().map(payment).collect(),
    }
}

fn shown_outcome(outcome: &SampleOutcome) -> Value {
    json!({
        "total_cost": outcome.cost, "cost_breakdown": breakdown([&outcome.costs]),
        "settled": outcome.tally.settled, "total": outcome.tally.total,
        "settlement_rate": outcome.tally.rate(), "avg_delay": outcome.tally.average_delay(),
        "num_events": outcome.events,
    })
}

#[test]
fn cost_tables_of_the_games() {
    for case in Case::of_kind("grid", false) {
        let file = read_scenario(&case, "scenario.yaml");
        let axis: Vec<f64> = list(&case.input["axis"]).iter().map(|f| f.as_f64().unwrap()).collect();
        let seeds: Vec<u64> = match list(&case.input["seeds"]) {
            [] => vec![file.seed],
            seeds => seeds.iter().map(|seed| seed.as_u64().unwrap()).collect(),
        };
        let agents: Vec<String> = file.agents.iter().take(2).map(|bank| bank.id.to_string()).collect();
        let ticks = file.calendar.end().0;
        let lab = Laboratory::new(file, &agents, ticks, "", None, CancelFlag::default()).unwrap();
        // Without the parameter: the fraction is the bank's own, from the top-level key.
        let policies = |agent: &String| -> Vec<AgentPolicy> {
            let policy = |fraction: &f64| {
                let mut policy = default_policy(agent, *fraction);
                policy["parameters"] = json!({});
                policy["initial_liquidity_fraction"] = json!(fraction);
                AgentPolicy::build(policy, PolicyAuthor::Script).unwrap()
            };
            axis.iter().map(policy).collect()
        };
        let (first, second) = (policies(&agents[0]), policies(&agents[1]));
        let cell = |i: usize, j: usize| {
            let costs = seeds.iter().map(|seed| {
                let pair = [first[i].clone(), second[j].clone()];
                let outcome = lab.full_run(&pair, *seed, false, None).unwrap();
                [outcome.cost(lab.agents()[0].bank), outcome.cost(lab.agents()[1].bank)]
            });
            costs.fold([0, 0], |sum, cost| [sum[0] + cost[0], sum[1] + cost[1]])
        };
        let n = axis.len();
        let table: Vec<Vec<[i64; 2]>> =
            (0..n).into_par_iter().map(|i| (0..n).map(|j| cell(i, j)).collect()).collect();
        case.holds(&game(&agents, &axis, &table));
    }
}

/// Best responses, equilibria and the joint minimum of a table of costs.
fn game(agents: &[String], axis: &[f64], table: &[Vec<[i64; 2]>]) -> Value {
    let places = 0..axis.len();
    let first = |j: usize| places.clone().map(|i| table[i][j][0]).min().unwrap();
    let second = |i: usize| places.clone().map(|j| table[i][j][1]).min().unwrap();
    let of_first = |j: usize| -> Vec<f64> {
        places.clone().filter(|i| table[*i][j][0] == first(j)).map(|i| axis[i]).collect()
    };
    let of_second = |i: usize| -> Vec<f64> {
        places.clone().filter(|j| table[i][*j][1] == second(i)).map(|j| axis[j]).collect()
    };
    let cells: Vec<(usize, usize)> =
        places.clone().flat_map(|i| places.clone().map(move |j| (i, j))).collect();
    let shown = |(i, j): &(usize, usize)| json!([axis[*i], axis[*j], table[*i][*j][0], table[*i][*j][1]]);
    let total = |(i, j): &(usize, usize)| table[*i][*j][0] + table[*i][*j][1];
    let least = cells.iter().map(total).min().unwrap();
    let nash = cells.iter().filter(|(i, j)| table[*i][*j] == [first(*j), second(*i)]);
    json!({
        "agents": agents, "cost_sum_over_seeds": table,
        "best_response_of_first": places.clone().map(|j| json!([axis[j], of_first(j)])).collect::<Vec<_>>(),
        "best_response_of_second": places.clone().map(|i| json!([axis[i], of_second(i)])).collect::<Vec<_>>(),
        "nash_on_grid": nash.map(shown).collect::<Vec<_>>(),
        "joint_minimum": cells.iter().filter(|cell| total(cell) == least).map(shown).collect::<Vec<_>>(),
    })
}

#[test]
fn bootstrap_cost_of_each_fraction() {
    for case in Case::of_kind("curve", false) {
        let experiment = read_experiment(&case);
        let file = read_scenario(&case, &experiment.scenario);
        let (agents, ticks) = (&experiment.optimized_agents, experiment.evaluation.ticks);
        let lab = Laboratory::new(file, agents, ticks, "", None, CancelFlag::default()).unwrap();
        let policy = |agent: &str, fraction: &Value| {
            AgentPolicy::build(default_policy(agent, fraction.clone()), PolicyAuthor::Default).unwrap()
        };
        let start: Vec<AgentPolicy> = agents.iter().map(|agent| policy(agent, &json!(0.5))).collect();
        let mut curves = Vec::new();
        for iteration in list(&case.input["iterations"]).iter().map(|i| i.as_u64().unwrap()) {
            let seed = |agent: usize| iteration_seed(&experiment.master_seed, iteration, &agents[agent]);
            let context = lab.full_run(&start, seed(0), true, None).unwrap();
            let history = context.history.as_ref().unwrap();
            for (index, agent) in agents.iter().enumerate() {
                let bank = lab.agents()[index].bank;
                let (outgoing, incoming) = (history.outgoing(bank), history.incoming(bank));
                let drawn =
                    samples(&outgoing, &incoming, seed(index), experiment.evaluation.samples(), ticks);
                let points: Vec<Value> = list(&case.input["fractions"])
                    .iter()
                    .map(|f| point(f, &lab.batch(index, &drawn, &policy(agent, f), None).unwrap()))
                    .collect();
                let best = points.iter().min_by_key(|point| point["sum"].as_i64()).unwrap();
                curves.push(json!({
                    "agent": agent, "iteration": iteration, "context_seed": seed(0),
                    "sample_base_seed": seed(index), "context_cost": context.cost(bank),
                    "best_fraction": best["fraction"], "points": points,
                }));
            }
        }
        case.holds(&json!({"curves": curves}));
    }
}

fn point(fraction: &Value, outcomes: &[SampleOutcome]) -> Value {
    let costs: Vec<i64> = outcomes.iter().map(|outcome| outcome.cost).collect();
    let tally = outcomes.iter().fold(Tally::default(), |sum, outcome| sum.plus(&outcome.tally));
    json!({
        "fraction": fraction, "sum": costs.iter().sum::<i64>(),
        "mean": crate::experiment::statistics::floor_mean(&costs),
        "min": costs.iter().min(), "max": costs.iter().max(), "settlement_rate": tally.rate(),
    })
}

/// The first line of a case says which rule it is about.
#[test]
fn every_case_names_its_rule() {
    for kind in ["loop", "search", "grid", "curve", "sandbox", "history", "isolation"] {
        for case in Case::of_kind(kind, false) {
            let text = case.text("case.yaml");
            assert!(text.starts_with("# "), "{}", case.name);
            assert_eq!(yaml(&text)["kind"], kind);
        }
    }
}
