//! Cases that run whole experiments.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::{Case, same};
use crate::experiment::file::Experiment;
use crate::experiment::proposers::{Chosen, Wishes};
use crate::experiment::runner::{Observer, Plan, RunOptions, RunResult, run};
use crate::experiment::seeds::iteration_seed;
use crate::experiment::stream::{EventKind, StreamEvent, by_agent};
use crate::finding::Findings;
use crate::run::CancelFlag;
use crate::scenario::{self, FileKind, FileText, Files, Format, Overrides, ScenarioFile};

/// Files beside the case.
struct Beside<'a>(&'a Path);

impl Files for Beside<'_> {
    fn read(&self, path: &str, _kind: FileKind) -> Result<FileText, String> {
        let text = fs::read_to_string(self.0.join(path)).map_err(|error| error.to_string())?;
        Ok(FileText { name: path.to_owned(), text })
    }
}

pub fn read_scenario(case: &Case, file: &str) -> ScenarioFile {
    let folder = case.path("");
    let (scenario, findings) =
        scenario::read(&case.text(file), Format::Yaml, &Overrides::default(), &Beside(&folder));
    scenario.unwrap_or_else(|| panic!("{}: {findings:?}", case.name))
}

fn read_beside(case: &Case, path: &str) -> Result<String, String> {
    fs::read_to_string(case.path(path)).map_err(|error| error.to_string())
}

pub fn read_experiment(case: &Case) -> Experiment {
    let (experiment, findings) =
        Experiment::read(&case.text("experiment.yaml"), &|path| read_beside(case, path));
    experiment.unwrap_or_else(|| panic!("{}: {findings:?}", case.name))
}

fn plan(case: &Case, change: impl FnOnce(&mut Experiment)) -> Result<Plan, Findings> {
    let mut experiment = read_experiment(case);
    change(&mut experiment);
    let file = experiment.scenario.clone();
    let read = |path: &str| read_beside(case, path);
    let proposer = Chosen::choose(&experiment, Wishes::default(), &|_| None, &read, &read)
        .map_err(|finding| Findings(vec![finding]))?;
    Plan::prepare(experiment, read_scenario(case, &file), &file, proposer)
}

/// Keeps the live events.
#[derive(Default)]
pub struct Recorder(pub Vec<StreamEvent>);

impl Observer for Recorder {
    fn event(&mut self, event: &StreamEvent) {
        self.0.push(event.clone());
    }
}

fn shown_events(events: &[StreamEvent]) -> Vec<Value> {
    let shown = |event: &StreamEvent| json!({"iteration": event.iteration, "event_type": event.kind.name(), "event_data": event.data});
    events.iter().map(shown).collect()
}

/// What section 26 leaves open is dropped from the expectation.
fn loosened(expected: &Value, with_error_texts: bool) -> Value {
    let mut expected = expected.clone();
    for event in expected.as_array_mut().unwrap() {
        let kind = event["event_type"].as_str().unwrap().to_owned();
        let data = event["event_data"].as_object_mut().unwrap();
        if kind == EventKind::Interaction.name() {
            for key in ["system_prompt", "user_prompt", "latency_seconds"] {
                data.shift_remove(key);
            }
            if !with_error_texts && data.get("parsing_error").is_some_and(|error| !error.is_null()) {
                data.shift_remove("parsing_error");
            }
        }
        if kind == EventKind::PolicyRejected.name() && data["old_cost"].is_null() {
            data.shift_remove("reason");
        }
    }
    expected
}

/// The calls of the proposer, as the events tell them.
fn calls(events: &[StreamEvent]) -> Vec<Value> {
    let calls = events.iter().filter(|event| event.kind == EventKind::Interaction);
    calls
        .map(|event| {
            let data = &event.data;
            json!({
                "agent": data["agent_id"], "iteration": event.iteration + 1,
                "retry": data["call"].as_u64().unwrap() > 1,
                "answered": !data["raw_response"].is_null(),
                "usable": !data["parsed_policy"].is_null(),
            })
        })
        .collect()
}

fn shown_result(result: &RunResult) -> Value {
    let mut shown = json!({
        "num_iterations": result.num_iterations, "converged": result.converged,
        "convergence_reason": result.convergence_reason, "iteration_history": result.iteration_history,
    });
    for (name, standing) in [("final", &result.last), ("best", &result.best)] {
        let standing = standing.as_ref().unwrap();
        shown[format!("{name}_cost")] = json!(standing.total);
        shown[format!("{name}_costs")] = by_agent(&result.agents, standing.costs.iter().copied());
        let policies = standing.policies.iter().map(|policy| policy.json().clone());
        shown[format!("{name}_policies")] = by_agent(&result.agents, policies);
    }
    shown["best_iteration"] = json!(result.best.as_ref().unwrap().iteration);
    shown
}

#[test]
fn loops_without_a_database() {
    for case in Case::of_kind("loop", false) {
        let expected = case.expected();
        let run_id = expected["run_id"].as_str().unwrap();
        let plan = plan(&case, |_| {}).unwrap();
        let mut recorder = Recorder::default();
        let options =
            RunOptions { run_id: Some(run_id.to_owned()), workers: Some(1), ..RunOptions::default() };
        let result = run(&plan, &options, None, &mut recorder, &CancelFlag::default()).unwrap();
        let hold = |want: &Value, got: &Value, what: &str| {
            if let Err(difference) = same(want, got, what) {
                panic!("{}: {difference}", case.name);
            }
        };
        hold(&expected["result"], &shown_result(&result), "result");
        let with_texts = case.input["error_texts"] == true;
        let events = loosened(&expected["db"]["experiment_events"], with_texts);
        hold(&events, &json!(shown_events(&recorder.0)), "events");
        hold(&expected["proposal_calls"], &json!(calls(&recorder.0)), "calls");
        let experiment = &plan.experiment;
        let seeds: Map<String, Value> = experiment
            .optimized_agents
            .iter()
            .map(|agent| {
                let seed = |i| iteration_seed(&experiment.master_seed, u64::from(i), agent);
                (agent.clone(), json!((0..result.num_iterations).map(seed).collect::<Vec<_>>()))
            })
            .collect();
        hold(&expected["iteration_seeds"], &json!(seeds), "seeds");
    }
}

#[test]
fn experiments_that_are_refused_before_they_run() {
    for case in Case::of_kind("loop", true) {
        assert!(plan(&case, |_| {}).is_err(), "{} is accepted", case.name);
    }
}
