//! `experiment validate`, `info` and `list`: what experiment files say.

use std::path::{Path, PathBuf};

use crate::cli::error::{CliError, report_warnings, say};
use crate::cli::output::Output;
use crate::cli::table::{left, render};
use crate::experiment::file::{Experiment, Mode};
use crate::experiment::proposers::Chosen;
use crate::sources::{self, Source};

/// Checks a file; its scenario is not looked at.
pub fn validate(file: &str, strict: bool) -> Result<(), CliError> {
    let (_, experiment, findings) = sources::read_experiment(file, strict)?;
    report_warnings(file, &findings);
    let mut output = Output::new();
    output.line(&format!("Configuration valid: {}", experiment.name))?;
    output.line(&format!("  Evaluation mode: {}", experiment.evaluation.mode.name()))?;
    output.line(&format!("  Max iterations: {}", experiment.convergence.max_iterations))?;
    output.line(&format!("  Optimized agents: {}", experiment.optimized_agents.join(", ")))?;
    Ok(output.finish()?)
}

/// Shows what a file asks for.
pub fn info(file: &str) -> Result<(), CliError> {
    let (source, experiment, findings) = sources::read_experiment(file, false)?;
    report_warnings(file, &findings);
    let mut output = Output::new();
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
    block("Evaluation", rows);
    let convergence = &experiment.convergence;
    let thresholds = &convergence.thresholds;
    block(
        "Convergence",
        vec![
            ("Max iterations", convergence.max_iterations.to_string()),
            ("Stability threshold", thresholds.stability.to_string()),
            ("Stability window", thresholds.window.to_string()),
            ("Improvement threshold", convergence.improvement_threshold.to_string()),
            ("CV threshold", thresholds.variation.to_string()),
            ("Regret threshold", thresholds.regret.to_string()),
        ],
    );
    block("Proposer", proposer_rows(experiment, source));
    block("Optimized Agents", vec![("Agents", experiment.optimized_agents.join(", "))]);
    let output = experiment.output.as_ref().map_or_else(
        || "(not configured)".to_owned(),
        |output| format!("{}/{}", output.directory, output.database),
    );
    block("Output", vec![("Database", output)]);
    block("Seeds", vec![("Master seed", experiment.master_seed.clone())]);
    lines
}

fn proposer_rows(experiment: &Experiment, source: &Source) -> Vec<(&'static str, String)> {
    let read = |path: &str| source.relative(path).map(|file| file.text).map_err(|error| error.to_string());
    match Chosen::choose(experiment, None, &read, &read) {
        Ok(chosen) => {
            let mut rows = vec![("Proposer", chosen.model())];
            rows.extend(chosen.notice.map(|notice| ("Why", notice)));
            rows
        }
        Err(finding) => vec![("Proposer", finding.to_string())],
    }
}

fn yes(set: bool) -> String {
    if set { "yes" } else { "no" }.to_owned()
}

/// Lists the experiments of a folder; files that are none are named.
pub fn list(folder: &Path) -> Result<(), CliError> {
    let mut output = Output::new();
    let mut rows = Vec::new();
    for file in yaml_files(folder)? {
        let name = file.display().to_string();
        match sources::read_experiment(&name, false) {
            Ok((_, experiment, _)) => rows.push(vec![
                experiment.name.clone(),
                shortened(&experiment.description, 40),
                experiment.evaluation.mode.name().to_owned(),
                shortened(&experiment.optimized_agents.join(", "), 30),
                name,
            ]),
            Err(error) => say(&format!("Warning: Skipping {name}: {}", reason(&error))),
        }
    }
    let columns = [left("Name"), left("Description"), left("Mode"), left("Agents"), left("File")];
    output.text(&render(&columns, &rows))?;
    output.line(&format!("Found {} valid experiment(s)", rows.len()))?;
    Ok(output.finish()?)
}

fn reason(error: &sources::SourceError) -> String {
    match error {
        sources::SourceError::Refused { findings, .. } => {
            findings.errors().next().map_or_else(|| error.to_string(), ToString::to_string)
        }
        other => other.to_string(),
    }
}

fn yaml_files(folder: &Path) -> Result<Vec<PathBuf>, CliError> {
    let entries = std::fs::read_dir(folder).map_err(|error| {
        CliError::failed(format!("folder `{}` cannot be read: {error}", folder.display()))
    })?;
    let is_yaml = |path: &PathBuf| {
        path.is_file() && path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml")
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_yaml).collect();
    files.sort();
    Ok(files)
}

/// The first line of a text, cut with three dots where it is too long.
fn shortened(text: &str, width: usize) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    if line.chars().count() <= width {
        return line.to_owned();
    }
    let kept: String = line.chars().take(width.saturating_sub(3)).collect();
    format!("{kept}...")
}
