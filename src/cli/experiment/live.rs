//! The events of a run as text: the live view and the replay show the same (spec 07, 19).

use serde_json::Value;

use crate::cli::args::VerboseOptions;
use crate::cli::table::{left, render, right};
use crate::money::Cents;

/// Which details are shown.
#[derive(Clone, Copy, Debug)]
pub struct Details {
    iterations: bool,
    bootstrap: bool,
    calls: bool,
    policies: bool,
    metrics: bool,
}

impl Details {
    /// The details that the options ask for.
    pub const fn of(options: &VerboseOptions) -> Self {
        let all = options.verbose;
        Self {
            iterations: all || options.verbose_iterations,
            bootstrap: all || options.verbose_bootstrap,
            calls: all || options.verbose_llm,
            policies: all || options.verbose_policy,
            metrics: all || options.verbose_metrics,
        }
    }
}

/// The text of an event; `None` if it is not shown.
pub fn text(kind: &str, data: &Value, details: Details) -> Option<String> {
    match kind {
        "experiment_start" => Some(start(data)),
        "iteration_start" if details.iterations => {
            Some(format!("Iteration {}\n  Total cost: {}", data["iteration"], dollars(&data["total_cost"])))
        }
        "bootstrap_evaluation" if details.bootstrap => Some(samples(data)),
        "llm_interaction" if details.calls => Some(call(data)),
        "policy_change" if details.policies => Some(comparison("accepted", data)),
        "policy_rejected" if details.policies => Some(comparison("rejected", data)),
        "iteration_metrics" if details.metrics => Some(metrics(data)),
        "llm_stats" if details.metrics => Some(format!(
            "  Calls: {} ({} successful, {} failed), tokens: {} prompt, {} completion",
            data["total_calls"],
            data["successful_calls"],
            data["failed_calls"],
            data["total_prompt_tokens"],
            data["total_completion_tokens"]
        )),
        "experiment_summary" if details.metrics => Some(summary(data)),
        _ => None,
    }
}

fn start(data: &Value) -> String {
    let mut lines = vec![
        format!("Starting {}", word(&data["experiment_name"])),
        format!("  Mode: {}", word(&data["evaluation_mode"])),
        format!("  Max iterations: {}", data["max_iterations"]),
    ];
    if data["evaluation_mode"] == "bootstrap" {
        lines.push(format!("  Bootstrap samples: {}", data["num_samples"]));
    }
    lines.push(format!("  Proposer: {} ({})", word(&data["proposer"]), word(&data["model"])));
    lines.join("\n")
}

fn samples(data: &Value) -> String {
    let results = data["seed_results"].as_array().map(Vec::as_slice).unwrap_or_default();
    let cost = |row: &Value| row["cost"].as_i64().unwrap_or(i64::MAX);
    let best = |agent: &Value| {
        let own = results.iter().filter(|row| &row["agent_id"] == agent);
        own.min_by_key(|row| cost(row)).map(|row| row["index"].clone())
    };
    let rows: Vec<Vec<String>> = results
        .iter()
        .map(|row| {
            let is_best = best(&row["agent_id"]).as_ref() == Some(&row["index"]);
            vec![
                word(&row["agent_id"]),
                format!("0x{:08x}", row["seed"].as_u64().unwrap_or_default()),
                dollars(&row["cost"]),
                format!("{}/{}", row["settled"], row["total"]),
                percent(&row["settlement_rate"]),
                if is_best { "Best" } else { "" }.to_owned(),
            ]
        })
        .collect();
    let columns = [left("Agent"), left("Seed"), right("Cost"), right("Settled"), right("Rate"), left("Note")];
    let mut text = format!("  {} samples\n{}", rows.len(), render(&columns, &rows));
    for (agent, figures) in data["per_agent"].as_object().into_iter().flatten() {
        let deviation =
            if figures["std_dev"].is_null() { "n/a".to_owned() } else { dollars(&figures["std_dev"]) };
        let mean = dollars(&figures["mean_cost"]);
        text.push_str(&format!("  {agent}: mean {mean}, deviation {deviation}\n"));
    }
    text.trim_end().to_owned()
}

fn call(data: &Value) -> String {
    let outcome = match (&data["parsing_error"], &data["parsed_policy"]) {
        (Value::String(error), _) => format!("failed: {error}"),
        (_, Value::Null) => "declined".to_owned(),
        _ => "a policy".to_owned(),
    };
    format!("  {} call {}: {outcome}", word(&data["agent_id"]), data["call"])
}

fn comparison(verdict: &str, data: &Value) -> String {
    let cost = |key: &str| if data[key].is_null() { "n/a".to_owned() } else { dollars(&data[key]) };
    format!(
        "  {}: {verdict}, {} -> {} ({})",
        word(&data["agent_id"]),
        cost("old_cost"),
        cost("new_cost"),
        word(&data["reason"])
    )
}

fn metrics(data: &Value) -> String {
    let costs = pairs(&data["per_agent_costs"], dollars);
    let fractions = pairs(&data["per_agent_liquidity"], |fraction| {
        fraction.as_f64().map_or_else(String::new, |fraction| format!("{fraction:.4}"))
    });
    format!("  Costs: {costs}\n  Fractions after the round: {fractions}")
}

fn pairs(mapping: &Value, show: impl Fn(&Value) -> String) -> String {
    let entries = mapping.as_object().into_iter().flatten();
    let shown: Vec<String> = entries.map(|(agent, value)| format!("{agent} {}", show(value))).collect();
    shown.join(", ")
}

fn summary(data: &Value) -> String {
    let mut lines = vec![
        format!("Summary: {} iterations, {}", data["num_iterations"], word(&data["convergence_reason"])),
        format!("  Final cost: {}", dollars(&data["final_cost"])),
        format!("  Best cost: {}", dollars(&data["best_cost"])),
    ];
    let figures = (data["best_cost"].as_f64(), data["final_cost"].as_f64());
    if let (Some(best), Some(last)) = figures
        && best < last
    {
        lines.push(format!("  Improvement: {:.1}%", (1.0 - best / last) * 100.0));
    }
    lines.push(format!("  Calls: {}, tokens: {}", data["total_llm_calls"], data["total_tokens"]));
    lines.join("\n")
}

/// Cents as dollars with separators.
pub fn dollars(cents: &Value) -> String {
    cents.as_i64().map_or_else(|| "n/a".to_owned(), |cents| Cents(cents).dollars())
}

fn percent(rate: &Value) -> String {
    rate.as_f64().map_or_else(|| "n/a".to_owned(), |rate| format!("{:.1}%", rate * 100.0))
}

/// A text without its quotes.
pub fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
