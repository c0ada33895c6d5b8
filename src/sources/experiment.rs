//! Experiments from files or from the library, with everything that they name.

use super::{Source, SourceError, load_from};
use crate::experiment::file::{Experiment, PersistLevel};
use crate::experiment::proposers::{Chosen, Wishes};
use crate::experiment::runner::Plan;
use crate::finding::{Finding, Findings};
use crate::library::Kind;
use crate::scenario::Overrides;

/// What is asked for beside the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExperimentOptions {
    /// Warnings are errors.
    pub strict: bool,
    /// Master seed in decimal, instead of the file's.
    pub seed: Option<String>,
    /// Proposer, instead of the file's.
    pub proposer: Option<String>,
    /// Model, instead of the file's.
    pub model: Option<String>,
    /// How long a model of `openai` may think, instead of the file's word.
    pub reasoning_effort: Option<String>,
    /// How many tokens a model of `anthropic` may think, instead of the file's.
    pub thinking_budget: Option<i64>,
    /// Which simulations are stored, instead of the file's.
    pub persist: Option<PersistLevel>,
    /// Iterations at most, instead of the file's.
    pub max_iterations: Option<u32>,
    /// Bootstrap samples, instead of the file's.
    pub num_samples: Option<u32>,
}

/// An experiment that passed every check made before anything runs.
#[derive(Clone, Debug)]
pub struct LoadedExperiment {
    /// What is to be run.
    pub plan: Plan,
    /// Warnings about the experiment file.
    pub findings: Findings,
    /// Warnings about its scenario, and the scenario's name.
    pub scenario_findings: (String, Findings),
}

/// Reads an experiment file; the scenario is not looked at.
///
/// # Errors
///
/// A file that cannot be read, or that is refused, with all findings.
pub fn read_experiment(argument: &str, strict: bool) -> Result<(Source, Experiment, Findings), SourceError> {
    let source = Source::open(argument, Kind::Experiment)?;
    let read_file = |path: &str| relative_text(&source, path);
    let (experiment, mut findings) = Experiment::read(&source.text, &read_file);
    if strict {
        findings.make_strict();
    }
    match experiment.filter(|_| !findings.has_errors()) {
        Some(experiment) => Ok((source, experiment, findings)),
        None => Err(SourceError::Refused { name: argument.to_owned(), findings }),
    }
}

/// Reads an experiment with its scenario and its proposer, and makes every check.
///
/// # Errors
///
/// As [`read_experiment`]; also a scenario, a script or a policy that is refused.
pub fn load_experiment(argument: &str, options: &ExperimentOptions) -> Result<LoadedExperiment, SourceError> {
    let (source, mut experiment, findings) = read_experiment(argument, options.strict)?;
    let refused = |findings| SourceError::Refused { name: argument.to_owned(), findings };
    let one = |finding: Finding| refused(Findings(vec![finding]));
    options.apply(&mut experiment);
    let scenario = source
        .relative(&experiment.scenario)
        .map_err(|error| one(Finding::error("scenario", None, error.to_string())))?;
    let overrides = Overrides { strict: options.strict, ..Overrides::default() };
    let loaded = load_from(&scenario, &overrides)?;
    let read_file = |path: &str| relative_text(&source, path);
    let wishes = Wishes { proposer: options.proposer.as_deref(), model: options.model.as_deref() };
    let proposer =
        Chosen::choose(&experiment, wishes, &from_environment, &read_file, &read_script).map_err(one)?;
    let plan = Plan::prepare(experiment, loaded.file, &loaded.config_file, proposer).map_err(refused)?;
    Ok(LoadedExperiment { plan, findings, scenario_findings: (scenario.argument(), loaded.findings) })
}

impl ExperimentOptions {
    fn apply(&self, experiment: &mut Experiment) {
        if let Some(seed) = &self.seed {
            experiment.master_seed.clone_from(seed);
        }
        if let Some(level) = self.persist {
            experiment.persist_simulations = level;
        }
        if let Some(iterations) = self.max_iterations {
            experiment.convergence.max_iterations = iterations;
        }
        if let Some(samples) = self.num_samples {
            experiment.evaluation.num_samples = Some(samples);
        }
        if self.reasoning_effort.is_some() || self.thinking_budget.is_some() {
            let llm = experiment.llm.get_or_insert_default();
            llm.reasoning_effort = self.reasoning_effort.clone().or(llm.reasoning_effort.take());
            llm.thinking_budget = self.thinking_budget.or(llm.thinking_budget);
        }
    }
}

/// A variable of the environment: keys and addresses of language models.
pub fn from_environment(variable: &str) -> Option<String> {
    std::env::var(variable).ok()
}

/// The text of a script that is named beside an experiment, relative to the working directory.
///
/// # Errors
///
/// Why it cannot be read.
pub fn read_script(path: &str) -> Result<String, String> {
    Source::open(path, Kind::Experiment).map(|source| source.text).map_err(|error| error.to_string())
}

fn relative_text(source: &Source, path: &str) -> Result<String, String> {
    source.relative(path).map(|file| file.text).map_err(|error| error.to_string())
}
