//! `experiment list`: the experiments of a folder.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::error::{CliError, say};
use crate::cli::output::Output;
use crate::cli::table::{left, render};
use crate::experiment::file::Experiment;
use crate::sources;

/// Lists the experiments of a folder; files that are none are named.
pub fn list(folder: &Path, as_json: bool) -> Result<(), CliError> {
    let mut output = Output::new();
    let mut rows = Vec::new();
    for file in yaml_files(folder)? {
        let name = file.display().to_string();
        match sources::read_experiment(&name, false) {
            Ok((_, experiment, _)) if as_json => output.line(&listed(&experiment, &name).to_string())?,
            Ok((_, experiment, _)) => rows.push(vec![
                experiment.name.clone(),
                shortened(&experiment.description, 40),
                mode(&experiment).to_owned(),
                shortened(&experiment.optimized_agents.join(", "), 30),
                name,
            ]),
            Err(error) => say(&format!("Warning: Skipping {name}: {}", reason(&error))),
        }
    }
    if as_json {
        return Ok(output.finish()?);
    }
    let columns = [left("Name"), left("Description"), left("Mode"), left("Agents"), left("File")];
    output.text(&render(&columns, &rows))?;
    output.line(&format!("Found {} valid experiment(s)", rows.len()))?;
    Ok(output.finish()?)
}

/// How policies are judged, unless settings are varied.
fn mode(experiment: &Experiment) -> &'static str {
    match experiment.sweep {
        Some(_) => "sweep",
        None => experiment.evaluation.mode.name(),
    }
}

fn listed(experiment: &Experiment, file: &str) -> Value {
    json!({
        "name": experiment.name, "description": experiment.description.trim(),
        "mode": mode(experiment), "agents": experiment.optimized_agents, "file": file,
    })
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
pub fn shortened(text: &str, width: usize) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    if line.chars().count() <= width {
        return line.to_owned();
    }
    let kept: String = line.chars().take(width.saturating_sub(3)).collect();
    format!("{kept}...")
}
