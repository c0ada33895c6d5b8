//! Cases about the experiment file.

use std::fs;

use serde_json::{Map, Value, json};

use super::Case;
use crate::experiment::constraints::{ParameterRule, PolicyConstraints};
use crate::experiment::file::{Experiment, LlmSettings, MAX_TOKENS};
use crate::finding::Findings;

fn read(case: &Case) -> (Option<Experiment>, Findings) {
    let read_file = |path: &str| fs::read_to_string(case.path(path)).map_err(|error| error.to_string());
    Experiment::read(&case.text("experiment.yaml"), &read_file)
}

#[test]
fn parsed_values_and_defaults() {
    for case in Case::of_kind("config", false) {
        let (experiment, findings) = read(&case);
        let experiment = experiment.unwrap_or_else(|| panic!("{}: {findings:?}", case.name));
        case.holds(&shown(&experiment, findings.warnings().count()));
    }
}

#[test]
fn files_that_are_refused() {
    for case in Case::of_kind("config", true) {
        let (experiment, findings) = read(&case);
        assert!(experiment.is_none(), "{} is accepted", case.name);
        assert!(findings.has_errors(), "{} is refused without a reason", case.name);
    }
}

fn shown(experiment: &Experiment, warnings: usize) -> Value {
    let config = experiment.to_config("", "");
    let mut shown = config.clone();
    shown.insert("scenario".to_owned(), config["scenario_path"].clone());
    shown.insert("constraints".to_owned(), json!(experiment.constraints));
    shown.insert("proposer".to_owned(), json!(experiment.proposer.as_ref().map(|p| p.word())));
    shown.insert("llm".to_owned(), json!(experiment.llm.as_ref().map(shown_llm)));
    shown.insert(
        "policy_constraints".to_owned(),
        json!(experiment.policy_constraints.as_ref().map(shown_rules)),
    );
    let output = experiment.output.as_ref();
    let output =
        output.map(|o| json!({"directory": o.directory, "database": o.database, "verbose": o.verbose}));
    shown.insert("output".to_owned(), json!(output));
    let prompts = experiment.prompts.as_ref().map(|prompts| {
        let agents = experiment.optimized_agents.iter();
        agents.map(|agent| (agent.clone(), json!(prompts.text_for(agent)))).collect::<Map<_, _>>()
    });
    shown.insert("prompt_for".to_owned(), json!(prompts));
    shown.insert("warnings".to_owned(), json!(warnings));
    Value::Object(shown)
}

fn shown_llm(llm: &LlmSettings) -> Value {
    json!({
        "model": llm.model, "temperature": llm.temperature, "max_retries": llm.max_retries,
        "timeout_seconds": llm.timeout_seconds, "thinking_budget": llm.thinking_budget,
        "reasoning_effort": llm.reasoning_effort, "system_prompt": llm.system_prompt, "max_tokens": MAX_TOKENS,
    })
}

fn shown_rules(rules: &PolicyConstraints) -> Value {
    let parameter = |rule: &ParameterRule| {
        json!({
            "name": rule.name, "param_type": rule.kind.name(), "min_value": rule.min, "max_value": rule.max,
            "allowed_values": rule.values, "description": rule.description,
        })
    };
    let parameters = rules.allowed_parameters.as_ref();
    let actions = rules.allowed_actions.as_ref();
    json!({
        "allowed_parameters": parameters.map(|list| list.iter().map(parameter).collect::<Vec<_>>()),
        "allowed_fields": rules.allowed_fields,
        "allowed_actions": actions.map(|by| by.iter().map(|(t, a)| (t.clone(), json!(a))).collect::<Map<_, _>>()),
        "lsm_enabled": rules.lsm_enabled,
    })
}
