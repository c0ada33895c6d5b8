//! `experiment replay --audit`: every exchange with the proposer as it was recorded (spec 07, 19).

use std::collections::BTreeMap;

use serde_json::Value;

use super::live::word;
use crate::persistence::{ExperimentRow, LiveEventRow};

/// Calls by iteration, from 0, then by agent, in their order.
type Calls = BTreeMap<u32, BTreeMap<String, Vec<Value>>>;

/// The audit of a run: header, then the calls of the iterations from the first to the last, from 0.
pub fn text(run: &ExperimentRow, events: &[LiveEventRow], (first, last): (u32, u32)) -> String {
    let mut lines = vec!["═".repeat(72)];
    let is_sweep = run.experiment_type == "sweep";
    let unnamed = if is_sweep { "none (a sweep improves nothing)" } else { "unknown" };
    let about = [
        ("Audit of run", run.run_id.as_str()),
        ("Experiment", &run.experiment_name),
        ("Proposer", run.proposer.as_deref().unwrap_or(unnamed)),
        ("Model", run.model.as_deref().unwrap_or(unnamed)),
        ("Status", run.status.name()),
    ];
    // A name is one line.
    lines.extend(about.map(|(name, value)| format!("{name}: {}", value.replace('\n', " "))));
    lines.push("═".repeat(72));
    let calls = calls(events, first, last);
    if calls.is_empty() {
        lines.push("No interactions with a proposer were recorded in these iterations.".to_owned());
    }
    for (iteration, agents) in calls {
        lines.push(format!("\nIteration {iteration}"));
        for (agent, calls) in agents {
            calls.iter().for_each(|data| call(&agent, data, &mut lines));
        }
    }
    lines.join("\n") + "\n"
}

fn calls(events: &[LiveEventRow], first: u32, last: u32) -> Calls {
    let mut found = Calls::new();
    let wanted = |event: &&LiveEventRow| {
        event.event_type == "llm_interaction" && (first..=last).contains(&event.iteration)
    };
    for event in events.iter().filter(wanted) {
        let data: Value = serde_json::from_str(&event.event_data).unwrap_or(Value::Null);
        let agents = found.entry(event.iteration).or_default();
        agents.entry(word(&data["agent_id"])).or_default().push(data);
    }
    found
}

fn call(agent: &str, data: &Value, lines: &mut Vec<String>) {
    lines.push(format!("\n{agent}, call {}", data["call"]));
    lines.push(format!("  Model: {}", word(&data["model"])));
    lines.push(format!(
        "  Tokens: {} prompt, {} completion",
        data["prompt_tokens"], data["completion_tokens"]
    ));
    lines.push(format!("  Latency: {:.2} s", data["latency_seconds"].as_f64().unwrap_or_default()));
    for (title, key) in [("System prompt", "system_prompt"), ("User prompt", "user_prompt")] {
        block(title, data[key].as_str().filter(|text| !text.is_empty()).unwrap_or("(none)"), lines);
    }
    match data["raw_response"].as_str() {
        Some(raw) => block("Response", &pretty(raw), lines),
        None => block("Response", "(none)", lines),
    }
    lines.push(format!("  Validation: {}", outcome(data)));
}

fn outcome(data: &Value) -> String {
    match (&data["parsing_error"], &data["parsed_policy"]) {
        (Value::String(error), _) => format!("Error: {error}"),
        (_, Value::Null) => "Declined".to_owned(),
        _ => "Policy valid".to_owned(),
    }
}

fn block(title: &str, text: &str, lines: &mut Vec<String>) {
    lines.push(format!("  {title}:"));
    lines.extend(text.lines().map(|line| format!("    {line}").trim_end().to_owned()));
}

/// JSON over several lines, anything else as it is.
fn pretty(text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(value) => format!("{value:#}"),
        Err(_) => text.to_owned(),
    }
}
