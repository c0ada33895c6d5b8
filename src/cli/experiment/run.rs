//! `experiment run`.

use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value, json};

use super::live::{self, Details};
use super::points;
use crate::cli::args::ExperimentRunArgs;
use crate::cli::database::from_environment;
use crate::cli::error::{CliError, report_warnings, say};
use crate::cli::interrupt;
use crate::cli::output::Output;
use crate::experiment::file::{Experiment, PersistLevel};
use crate::experiment::runner::{
    self, ExperimentError, Observer, PointNote, RunOptions, RunResult, SimulationNote, Standing,
};
use crate::experiment::stream::{EventKind, StreamEvent};
use crate::money::Cents;
use crate::persistence::{Access, Database, Status};
use crate::sources::{self, ExperimentOptions, LoadedExperiment};

/// Runs an experiment, or with `--dry-run` makes every check of it.
pub fn run(args: &ExperimentRunArgs) -> Result<(), CliError> {
    let loaded = load(args)?;
    let cancel = interrupt::watch();
    let experiment = &loaded.plan.experiment;
    let path = database_path(args, experiment);
    let database = match &path {
        Some(path) if !args.dry_run => Some(open(path)?),
        _ => None,
    };
    if args.dry_run {
        return dry_run(&loaded, path);
    }
    let options = RunOptions { run_id: args.run_id.clone(), workers: args.workers.map(usize::from) };
    let mut view = LiveView::new(args, experiment);
    if !args.quiet && !args.json {
        view.output.line(&format!("Loaded experiment: {}", experiment.name))?;
    }
    let ran = runner::run(&loaded.plan, &options, database.as_ref(), &mut view, &cancel);
    view.progress.finish_and_clear();
    let result = ran.map_err(|error| match error {
        ExperimentError::Refused(findings) => CliError::Refused { name: args.file.clone(), findings },
        ExperimentError::Storage(error) => error.into(),
        other => CliError::failed(other.to_string()),
    })?;
    report(&result, experiment, args, view.output)?;
    if let Some(database) = database.filter(|_| !args.quiet) {
        let path = database.path().display();
        say(&format!("stored as {} in {path}", result.run_id));
        say(&format!("open it with: payment-sim explore --db {path}"));
    }
    match result.status {
        Status::Completed => points::failure(&result).map_or(Ok(()), Err),
        Status::Cancelled => Err(CliError::Interrupted),
        _ => Err(CliError::failed(result.convergence_reason)),
    }
}

fn load(args: &ExperimentRunArgs) -> Result<LoadedExperiment, CliError> {
    let word = match &args.persist_simulations {
        _ if args.persist_bootstrap => Some("all"),
        word => word.as_deref(),
    };
    let level = word.and_then(|word| PersistLevel::WORDS.into_iter().find(|(name, _)| *name == word));
    let options = ExperimentOptions {
        strict: args.strict,
        seed: args.seed.map(|seed| seed.to_string()),
        proposer: args.proposer.clone(),
        model: args.model.clone(),
        reasoning_effort: args.reasoning_effort.clone(),
        thinking_budget: args.thinking_budget.map(i64::from),
        persist: level.map(|(_, level)| level),
        ..ExperimentOptions::default()
    };
    let loaded = sources::load_experiment(&args.file, &options)?;
    let thinks = args.reasoning_effort.is_some() || args.thinking_budget.is_some();
    if loaded.plan.experiment.sweep.is_some() && thinks {
        return Err(CliError::usage(
            "a sweep asks no language model",
            "leave --reasoning-effort and --thinking-budget out",
        ));
    }
    report_warnings(&args.file, &loaded.findings);
    report_warnings(&loaded.scenario_findings.0, &loaded.scenario_findings.1);
    if let Some(notice) = loaded.plan.proposer.notice.as_ref().filter(|_| !args.quiet) {
        say(&format!("note: {notice}"));
    }
    Ok(loaded)
}

/// `--db` wins; without it an `output` block decides that the run is stored, and the environment,
/// else the block, where (spec 07, 18).
fn database_path(args: &ExperimentRunArgs, experiment: &Experiment) -> Option<PathBuf> {
    let block = experiment.output.as_ref();
    args.db.db.clone().or_else(|| {
        let block = block?;
        Some(from_environment().unwrap_or_else(|| PathBuf::from(&block.directory).join(&block.database)))
    })
}

fn open(path: &PathBuf) -> Result<Database, CliError> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|error| {
            CliError::failed(format!("folder `{}` cannot be made: {error}", folder.display()))
        })?;
    }
    let database = Database::open(path, Access::Write)?;
    for warning in database.warnings() {
        say(&format!("warning: {warning}"));
    }
    Ok(database)
}

fn dry_run(loaded: &LoadedExperiment, path: Option<PathBuf>) -> Result<(), CliError> {
    let plan = &loaded.plan;
    let experiment = &plan.experiment;
    let simulations = most_simulations(experiment);
    let config = Value::Object(experiment.to_config(plan.proposer.name(), &plan.proposer.model()));
    let mut output = Output::new();
    output.line(&format!("{config:#}"))?;
    output.line(&format!(
        "at most {simulations} simulations, {} ticks; stored in {}",
        simulations.saturating_mul(experiment.evaluation.ticks),
        path.map_or_else(|| "no database".to_owned(), |path| path.display().to_string())
    ))?;
    Ok(output.finish()?)
}

fn most_simulations(experiment: &Experiment) -> u64 {
    if let Some(sweep) = &experiment.sweep {
        return sweep.runs().unwrap_or(0) as u64;
    }
    let (agents, iterations) =
        (experiment.optimized_agents.len() as u64, u64::from(experiment.convergence.max_iterations));
    let samples =
        if experiment.evaluation.uses_samples() { experiment.evaluation.samples() as u64 } else { 0 };
    // An evaluation in every iteration, and a comparison for every agent in every round.
    let per_evaluation = if samples > 0 { 1 + agents * samples } else { 1 };
    let per_comparison = if samples > 0 { samples } else { 2 };
    iterations * per_evaluation + (iterations - 1) * agents * per_comparison
}

/// Shows a run while it goes on.
struct LiveView {
    output: Output,
    details: Details,
    shown: bool,
    progress: ProgressBar,
    /// The reply that is coming in: whose call it is, and its text so far.
    reply: ((String, u32), String),
}

/// Characters of an incoming reply that stand beside the progress bar.
const REPLY_SHOWN: usize = 40;

impl LiveView {
    fn new(args: &ExperimentRunArgs, experiment: &Experiment) -> Self {
        let shown = !args.quiet && !args.json;
        let (unit, length) = match &experiment.sweep {
            Some(_) => ("run", most_simulations(experiment)),
            None => ("iteration", u64::from(experiment.convergence.max_iterations)),
        };
        let style = ProgressStyle::with_template(&format!("{{bar:40}} {unit} {{pos}}/{{len}} {{msg}}"));
        let progress = if shown && io::stderr().is_terminal() {
            ProgressBar::new(length).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        } else {
            ProgressBar::hidden()
        };
        Self {
            output: Output::new(),
            details: Details::of(&args.verbose),
            shown,
            progress,
            reply: Default::default(),
        }
    }

    fn line(&mut self, text: &str) {
        // A reader that has gone shows when the result is printed.
        self.progress.suspend(|| {
            let _ = self.output.line(text).and_then(|()| self.output.flush());
        });
    }
}

impl Observer for LiveView {
    fn started(&mut self, run_id: &str) {
        if self.shown {
            self.line(&format!("Run {run_id}"));
        }
    }

    fn event(&mut self, event: &StreamEvent) {
        if event.kind == EventKind::IterationStart {
            self.progress.inc(1);
        }
        if !self.shown {
            return;
        }
        if let Some(text) = live::text(event.kind.name(), &event.data, self.details) {
            self.line(&text);
        }
    }

    fn point(&mut self, note: &PointNote) {
        self.progress.inc(1);
        if let Some(error) = note.error.as_ref().filter(|_| self.shown) {
            let PointNote { point, repetition, .. } = note;
            self.line(&format!("  point {point}, repetition {repetition} failed: {error}"));
        }
    }

    fn heard(&mut self, agent: &str, call: u32, piece: &str) {
        let (of, text) = &mut self.reply;
        if (of.0.as_str(), of.1) != (agent, call) {
            *of = (agent.to_owned(), call);
            text.clear();
        }
        text.push_str(piece);
        let end: Vec<char> =
            text.chars().rev().filter(|letter| !letter.is_control()).take(REPLY_SHOWN).collect();
        let end: String = end.into_iter().rev().collect();
        self.progress.set_message(format!("{agent} hears: {end}"));
    }

    fn simulation(&mut self, note: &SimulationNote) {
        self.progress.set_message(note.id.clone());
        if self.shown && note.stored {
            self.line(&format!("  simulation {}", note.id));
        }
    }
}

fn report(
    result: &RunResult,
    experiment: &Experiment,
    args: &ExperimentRunArgs,
    mut output: Output,
) -> Result<(), CliError> {
    let is_sweep = experiment.sweep.is_some();
    if args.json {
        let json = if is_sweep { points::report_json(result, experiment) } else { result_json(result) };
        output.line(&json.to_string())?;
        return Ok(output.finish()?);
    }
    if is_sweep && !args.quiet {
        points::report(result, experiment, &mut output)?;
    } else if !args.quiet {
        for line in result_lines(result) {
            output.line(&line)?;
        }
    }
    Ok(output.finish()?)
}

fn result_lines(result: &RunResult) -> Vec<String> {
    let title = match result.status {
        Status::Completed => "Experiment completed!",
        Status::Cancelled => "Experiment cancelled; what is finished is kept.",
        _ => "Experiment failed.",
    };
    let mut lines = vec![
        title.to_owned(),
        format!("  Iterations: {}", result.num_iterations),
        format!("  Converged: {}", if result.converged { "yes" } else { "no" }),
        format!("  Reason: {}", result.convergence_reason),
    ];
    if let Some(last) = &result.last {
        lines.push("  Final costs:".to_owned());
        let costs = result.agents.iter().zip(&last.costs);
        lines.extend(costs.map(|(agent, cost)| format!("    {agent}: ${}", Cents(*cost))));
        lines.push(format!("    total: ${}", Cents(last.total)));
    }
    if let Some(best) = &result.best {
        lines.push(format!("  Best total: ${} in iteration {}", Cents(best.total), best.iteration + 1));
    }
    lines
}

/// The result as spec 07, 14 has it.
fn result_json(result: &RunResult) -> Value {
    let by_agent = |standing: Option<&Standing>, value: &dyn Fn(&Standing, usize) -> Value| {
        let Some(standing) = standing else { return Value::Null };
        let pairs = result.agents.iter().enumerate();
        Value::Object(pairs.map(|(at, agent)| (agent.clone(), value(standing, at))).collect::<Map<_, _>>())
    };
    let cost = |standing: &Standing, at: usize| json!(standing.costs.get(at));
    let policy = |standing: &Standing, at: usize| {
        standing.policies.get(at).map_or(Value::Null, |policy| policy.json().clone())
    };
    let (last, best) = (result.last.as_ref(), result.best.as_ref());
    json!({
        "run_id": result.run_id,
        "status": result.status.name(),
        "num_iterations": result.num_iterations,
        "converged": result.converged,
        "convergence_reason": result.convergence_reason,
        "final_cost": last.map(|standing| standing.total),
        "final_costs": by_agent(last, &cost),
        "final_policies": by_agent(last, &policy),
        "best_cost": best.map(|standing| standing.total),
        "best_costs": by_agent(best, &cost),
        "best_policies": by_agent(best, &policy),
        "best_iteration": best.map(|standing| standing.iteration),
        "iteration_history": result.iteration_history,
    })
}
