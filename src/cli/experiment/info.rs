//! `experiment info`: what an experiment file asks for.

use serde_json::{Value, json};

use super::points;
use super::run::shown_config;
use crate::cli::error::{CliError, report_warnings};
use crate::cli::output::Output;
use crate::experiment::file::{Experiment, LlmSettings, Mode};
use crate::experiment::proposers::{Chosen, Wishes};
use crate::sources::{self, Source, from_environment};

/// Shows what a file asks for.
pub fn info(file: &str, as_json: bool) -> Result<(), CliError> {
    let (source, experiment, findings) = sources::read_experiment(file, false)?;
    report_warnings(file, &findings);
    let mut output = Output::new();
    if as_json {
        output.line(&info_json(&experiment, &source).to_string())?;
        return Ok(output.finish()?);
    }
    for line in described(&experiment, &source) {
        output.line(&line)?;
    }
    Ok(output.finish()?)
}

fn described(experiment: &Experiment, source: &Source) -> Vec<String> {
    let mut lines = vec![experiment.name.clone()];
    lines.extend((!experiment.description.is_empty()).then(|| experiment.description.trim().to_owned()));
    let mut block = |title: &str, rows: Vec<(&str, String)>| {
        lines.push(format!("\n{title}"));
        lines.extend(rows.into_iter().map(|(name, value)| format!("  {name}: {value}")));
    };
    block("Scenario", vec![("Path", experiment.scenario.clone())]);
    match &experiment.sweep {
        Some(sweep) => {
            block("Evaluation", vec![("Ticks", experiment.evaluation.ticks.to_string())]);
            block("Sweep", points::described(sweep));
        }
        None => improving(experiment, source).into_iter().for_each(|(title, rows)| block(title, rows)),
    }
    let output = experiment.output.as_ref().map_or_else(
        || "(not configured)".to_owned(),
        |output| format!("{}/{}", output.directory, output.database),
    );
    block("Output", vec![("Database", output)]);
    block("Seeds", vec![("Master seed", experiment.master_seed.clone())]);
    lines
}

/// A title and its rows.
type Block = (&'static str, Vec<(&'static str, String)>);

/// The blocks of an experiment that improves policies.
fn improving(experiment: &Experiment, source: &Source) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let evaluation = &experiment.evaluation;
    let mut rows = vec![("Mode", evaluation.mode.name().to_owned()), ("Ticks", evaluation.ticks.to_string())];
    if evaluation.mode == Mode::Bootstrap {
        rows.push(("Samples", evaluation.samples().to_string()));
    }
    let criteria = &evaluation.criteria;
    rows.push(("Settlement rate at least", criteria.min_settlement_rate.to_string()));
    rows.push(("Significance required", yes(criteria.require_significance)));
    let variation = criteria.max_variation.map_or_else(|| "no limit".to_owned(), |limit| limit.to_string());
    rows.push(("Coefficient of variation", variation));
    blocks.push(("Evaluation", rows));
    let convergence = &experiment.convergence;
    let thresholds = &convergence.thresholds;
    blocks.push((
        "Convergence",
        vec![
            ("Max iterations", convergence.max_iterations.to_string()),
            ("Stability threshold", thresholds.stability.to_string()),
            ("Stability window", thresholds.window.to_string()),
            ("Improvement threshold", convergence.improvement_threshold.to_string()),
            ("CV threshold", thresholds.variation.to_string()),
            ("Regret threshold", thresholds.regret.to_string()),
        ],
    ));
    blocks.push(("Proposer", proposer_rows(experiment, source)));
    if let Some(llm) = &experiment.llm {
        blocks.push(("LLM", llm_rows(llm)));
    }
    blocks.push(("Optimized Agents", vec![("Agents", experiment.optimized_agents.join(", "))]));
    blocks
}

fn llm_rows(llm: &LlmSettings) -> Vec<(&'static str, String)> {
    let prompt = llm.system_prompt.as_deref().unwrap_or_default().trim();
    let length = prompt.chars().count();
    let mut rows = vec![
        ("Model", llm.model.clone().unwrap_or_else(|| "(none)".to_owned())),
        ("Temperature", llm.temperature.to_string()),
        ("System prompt", format!("{length} characters")),
    ];
    if length > 0 {
        rows.push(("Begins", prompt.replace('\n', " ").chars().take(100).collect()));
    }
    rows
}

/// The resolved experiment as a run stores it, with where it would be stored.
fn info_json(experiment: &Experiment, source: &Source) -> Value {
    let chosen = chosen(experiment, source);
    let (proposer, model) = match &chosen {
        Ok(chosen) => (chosen.name(), chosen.model()),
        Err(_) => ("", String::new()),
    };
    let mut config = shown_config(experiment, proposer, &model);
    if let Err(problem) = chosen {
        config.insert("proposer".to_owned(), Value::Null);
        config.insert("model".to_owned(), Value::Null);
        config.insert("proposer_problem".to_owned(), json!(problem));
    }
    let output = experiment.output.as_ref();
    let output = output.map(|output| json!({"directory": output.directory, "database": output.database}));
    config.insert("output".to_owned(), json!(output));
    Value::Object(config)
}

fn chosen(experiment: &Experiment, source: &Source) -> Result<Chosen, String> {
    let read = |path: &str| source.relative(path).map(|file| file.text).map_err(|error| error.to_string());
    Chosen::choose(experiment, Wishes::default(), &from_environment, &read, &read)
        .map_err(|finding| finding.to_string())
}

fn proposer_rows(experiment: &Experiment, source: &Source) -> Vec<(&'static str, String)> {
    match chosen(experiment, source) {
        Ok(chosen) => {
            let mut rows = vec![("Proposer", chosen.model())];
            // The scenario is not looked at: banks have pools as far as is known.
            let futility = chosen.futility(experiment, &|_| true);
            rows.extend(chosen.notice.map(|notice| ("Why", notice)));
            rows.extend(futility.map(|why| ("Note", why)));
            rows
        }
        Err(problem) => vec![("Proposer", problem)],
    }
}

fn yes(set: bool) -> String {
    if set { "yes" } else { "no" }.to_owned()
}
