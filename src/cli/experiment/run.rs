//! `experiment run`.

use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value, json};

use super::live::{self, Details};
use super::{command, points, quoted};
use crate::cli::args::{ExperimentRunArgs, ShowOptions};
use crate::cli::database::{from_environment, open_warned};
use crate::cli::error::{CliError, report_warnings, say};
use crate::cli::interrupt;
use crate::cli::output::Output;
use crate::experiment::analysis::summary::{Records, RunSummary};
use crate::experiment::asking::unknown_effort;
use crate::experiment::extent::Extent;
use crate::experiment::file::{Experiment, PersistLevel};
use crate::experiment::runner::{
    self, ExperimentError, Observer, Plan, PointNote, RunOptions, RunResult, SimulationNote, Standing,
};
use crate::experiment::stream::{EventKind, StreamEvent};
use crate::money::Cents;
use crate::persistence::{Access, Database, ExperimentWrites, Layout, PersistenceError, Status, check_id};
use crate::sources::{self, ExperimentOptions, LoadedExperiment};

/// Runs an experiment, or with `--dry-run` makes every check of it.
pub fn run(args: &ExperimentRunArgs) -> Result<(), CliError> {
    let loaded = load(args)?;
    args.run_id.as_deref().map_or(Ok(()), |id| check_id("run", id))?;
    let cancel = interrupt::watch();
    let experiment = &loaded.plan.experiment;
    let path = database_path(args, experiment);
    if args.dry_run {
        path.as_deref().map_or(Ok(()), |path| check_database(path, args.run_id.as_deref()))?;
        return dry_run(&loaded, path.as_deref(), args);
    }
    let database = path.as_ref().map(|path| open(path, args)).transpose()?;
    let options = RunOptions {
        run_id: args.run_id.clone(),
        workers: args.show.workers.map(usize::from),
        no_baselines: args.no_baselines,
    };
    let mut view = LiveView::new(&args.show, experiment);
    view.line(&format!("Loaded experiment: {}", experiment.name));
    for note in overrides(args, &loaded) {
        view.line(&format!("  {note}"));
    }
    let ran = runner::run(&loaded.plan, &options, database.as_ref(), &mut view, &cancel);
    conclude(ran, &args.file, experiment, &args.show, view, database.as_ref())
}

/// Says what a run came to and where it is stored. `name` is what is refused if it is.
pub fn conclude(
    ran: Result<RunResult, ExperimentError>,
    name: &str,
    experiment: &Experiment,
    show: &ShowOptions,
    view: LiveView,
    database: Option<&Database>,
) -> Result<(), CliError> {
    view.progress.finish_and_clear();
    let result = ran.map_err(|error| CliError::of_experiment(error, name))?;
    report(&result, experiment, show, view, database)?;
    if let Some(database) = database.filter(|_| !show.quiet) {
        let path = database.path();
        say(&format!("stored as {} in {}", result.run_id, path.display()));
        say(&format!("open it with: payment-sim explore --db {}", quoted(&path.display().to_string())));
        if matches!(result.status, Status::Cancelled) {
            say(&format!("go on with: {}", command(&["resume", &result.run_id], path)));
        }
    }
    if database.is_none() && !show.quiet {
        say("not stored: `--db FILE` keeps a run, to look at it and to go on with it");
    }
    match result.status {
        Status::Completed => points::failure(&result).map_or(Ok(()), Err),
        Status::Cancelled => Err(CliError::Interrupted),
        // The reason of a failed run begins with the word that stands before every error.
        _ => Err(CliError::failed(result.convergence_reason.trim_start_matches("Failed: "))),
    }
}

fn load(args: &ExperimentRunArgs) -> Result<LoadedExperiment, CliError> {
    let word = match &args.persist_simulations {
        _ if args.persist_bootstrap => Some("all"),
        word => word.as_deref(),
    };
    let level = word.and_then(|word| PersistLevel::WORDS.into_iter().find(|(name, _)| *name == word));
    if let Some(problem) = args.reasoning_effort.as_deref().and_then(unknown_effort) {
        return Err(CliError::usage(
            problem,
            "see --reasoning-effort in `payment-sim experiment run --help`",
        ));
    }
    let options = ExperimentOptions {
        strict: args.strict,
        seed: args.seed.clone(),
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
    let model = loaded.plan.proposer.model();
    for (option, given, provider) in [
        ("--reasoning-effort", args.reasoning_effort.is_some(), "openai"),
        ("--thinking-budget", args.thinking_budget.is_some(), "anthropic"),
    ] {
        if given && !model.starts_with(&format!("{provider}:")) {
            say(&format!("warning: {option} has no effect: it is for models of `{provider}`, not `{model}`"));
        }
    }
    report_warnings(&args.file, &loaded.findings);
    report_warnings(&loaded.scenario_findings.0, &loaded.scenario_findings.1);
    say_notices(&loaded.plan, args.show.quiet);
    Ok(loaded)
}

/// Says what is to be known of the proposer before the run.
pub fn say_notices(plan: &Plan, quiet: bool) {
    let notices = if quiet { Vec::new() } else { plan.notices() };
    notices.iter().for_each(|notice| say(&format!("note: {notice}")));
}

/// What the command line decides in place of the file.
fn overrides(args: &ExperimentRunArgs, loaded: &LoadedExperiment) -> Vec<String> {
    let plan = &loaded.plan;
    let llm = plan.experiment.llm.as_ref();
    let persist = args.persist_bootstrap || args.persist_simulations.is_some();
    let proposer = args.proposer.is_some() || args.model.is_some();
    let notes = [
        args.seed.as_ref().map(|seed| format!("master seed {seed}")),
        proposer.then(|| format!("proposer {}", plan.proposer.model())),
        args.reasoning_effort.as_ref().map(|effort| format!("reasoning effort {effort}")),
        llm.and_then(|llm| llm.thinking_budget)
            .filter(|_| args.thinking_budget.is_some())
            .map(|budget| format!("thinking budget {budget}")),
        persist.then(|| format!("persist simulations {}", plan.experiment.persist_simulations.name())),
    ];
    notes.into_iter().flatten().map(|note| format!("Override: {note}")).collect()
}

/// `--db` wins; without it an `output` block decides that the run is stored, and the environment,
/// else the block, where (spec 07, 18).
fn database_path(args: &ExperimentRunArgs, experiment: &Experiment) -> Option<PathBuf> {
    let block = experiment.output.as_ref();
    args.db.clone().or_else(|| {
        let block = block?;
        Some(from_environment().unwrap_or_else(|| PathBuf::from(&block.directory).join(&block.database)))
    })
}

/// Opens the database of a run. The folder that an `output` block names is made; one that the user names must
/// be there (spec 06, 7.1).
fn open(path: &Path, args: &ExperimentRunArgs) -> Result<Database, CliError> {
    let of_block = args.db.is_none() && from_environment().is_none();
    if let Some(folder) = path.parent().filter(|folder| of_block && !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|error| {
            CliError::failed(format!("folder `{}` cannot be made: {error}", folder.display()))
        })?;
    }
    open_warned(path, Access::Write)
}

/// Whether a run could be stored, without writing anything.
fn check_database(path: &Path, run_id: Option<&str>) -> Result<(), CliError> {
    let unwritable = |what: &Path| {
        let message = format!("`{}` cannot be written", what.display());
        CliError::Failed { message, hint: Some("name another database with --db PATH".to_owned()) }
    };
    if !path.exists() {
        // The folder is made by the run; what it is made in must be there.
        let above = path.ancestors().skip(1).find(|folder| folder.exists() || folder.as_os_str().is_empty());
        let writable =
            |folder: &Path| folder.as_os_str().is_empty() || folder.is_dir() && !is_read_only(folder);
        return if above.is_some_and(writable) { Ok(()) } else { Err(unwritable(path)) };
    }
    let database = Database::open(path, Access::Read)?;
    if is_read_only(path) || !matches!(database.layout(), Layout::Ours(_)) {
        return Err(unwritable(path));
    }
    match run_id {
        Some(id) if database.reader()?.run(id)?.is_some() => {
            Err(PersistenceError::Exists { what: "run", id: id.to_owned() }.into())
        }
        _ => Ok(()),
    }
}

fn is_read_only(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.permissions().readonly())
}

/// The resolved experiment; of a sweep without what has no effect in it.
pub fn shown_config(experiment: &Experiment, proposer: &str, model: &str) -> Map<String, Value> {
    let mut config = experiment.to_config(proposer, model);
    if experiment.sweep.is_some() {
        config.insert("evaluation".to_owned(), json!({"ticks": experiment.evaluation.ticks}));
    }
    config
}

fn dry_run(loaded: &LoadedExperiment, path: Option<&Path>, args: &ExperimentRunArgs) -> Result<(), CliError> {
    let plan = &loaded.plan;
    let experiment = &plan.experiment;
    let extent = Extent { baselines: !args.no_baselines, ..Extent::of(experiment, &plan.proposer) };
    let (simulations, ticks) = (extent.simulations(), extent.ticks(experiment.evaluation.ticks));
    let config = Value::Object(shown_config(experiment, plan.proposer.name(), &plan.proposer.model()));
    let mut output = Output::new();
    if args.show.json {
        let plan = json!({
            "experiment": config,
            "simulations_at_most": simulations,
            // What a program cannot read as an integer it does not get.
            "ticks_at_most": u64::try_from(ticks).ok(),
            "database": path.map(|path| path.display().to_string()),
        });
        output.line(&plan.to_string())?;
    } else {
        let place = path.map_or_else(|| "no database".to_owned(), |path| path.display().to_string());
        output.line(&format!("{config:#}"))?;
        output.line(&format!("at most {simulations} simulations, {ticks} ticks; stored in {place}"))?;
        if extent.sweep.is_none() {
            output.line("those of comparisons, the proposer and the baselines are among them")?;
        }
    }
    Ok(output.finish()?)
}

/// Shows a run while it goes on.
pub struct LiveView {
    output: Output,
    details: Details,
    shown: bool,
    progress: ProgressBar,
    /// What a run records that is not stored.
    records: Records,
    /// The reply that is coming in: whose call it is, and its text so far.
    reply: ((String, u32), String),
}

/// Characters of an incoming reply that stand beside the progress bar.
const REPLY_SHOWN: usize = 40;

impl LiveView {
    /// Shows what the options ask for of a run of an experiment.
    pub fn new(show: &ShowOptions, experiment: &Experiment) -> Self {
        let shown = !show.quiet && !show.json;
        let (unit, length) = match &experiment.sweep {
            Some(sweep) => ("run", sweep.runs().unwrap_or(0) as u64),
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
            details: Details::of(&show.verbose),
            shown,
            progress,
            records: Records::default(),
            reply: Default::default(),
        }
    }

    /// Prints a line, if anything is to be shown.
    pub fn line(&mut self, text: &str) {
        if !self.shown {
            return;
        }
        // A reader that has gone shows when the result is printed.
        self.progress.suspend(|| {
            let _ = self.output.line(text).and_then(|()| self.output.flush());
        });
    }
}

impl Observer for LiveView {
    fn started(&mut self, run_id: &str) {
        self.line(&format!("Run {run_id}"));
    }

    fn recalled(&mut self, event: &StreamEvent) {
        if event.kind == EventKind::IterationStart {
            self.progress.inc(1);
        }
    }

    fn event(&mut self, event: &StreamEvent) {
        if event.kind == EventKind::IterationStart {
            self.progress.inc(1);
        }
        if let Some(text) = live::text(event.kind.name(), &event.data, self.details) {
            self.line(&text);
        }
    }

    fn recalled_points(&mut self, number: u64) {
        self.progress.inc(number);
    }

    fn point(&mut self, note: &PointNote) {
        self.progress.inc(1);
        if let Some(error) = note.error.as_ref().filter(|_| self.shown) {
            let PointNote { point, repetition, .. } = note;
            self.line(&format!("  point {point}, repetition {repetition} failed: {error}"));
        }
    }

    fn unstored(&mut self, rows: &ExperimentWrites) {
        self.records.take(rows);
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
        if self.shown {
            let samples =
                if note.samples > 0 { format!(" and {} more", note.samples - 1) } else { String::new() };
            let stored = if note.stored { "" } else { ", not stored" };
            self.line(&format!("  simulation {}{samples}{stored}", note.id));
        }
    }
}

fn report(
    result: &RunResult,
    experiment: &Experiment,
    show: &ShowOptions,
    view: LiveView,
    database: Option<&Database>,
) -> Result<(), CliError> {
    let LiveView { mut output, records, .. } = view;
    let is_sweep = experiment.sweep.is_some();
    if show.json {
        let json = if is_sweep { points::report_json(result, experiment) } else { result_json(result) };
        output.line(&json.to_string())?;
        return Ok(output.finish()?);
    }
    if is_sweep && !show.quiet {
        points::report(result, experiment, &mut output)?;
    } else if !show.quiet {
        for line in result_lines(result) {
            output.line(&line)?;
        }
        let summary = match database {
            Some(database) => RunSummary::of_run(&database.reader()?, &result.run_id)?,
            None => Some(RunSummary::of_records(&records)),
        };
        if let Some(summary) = summary {
            output.line("")?;
            output.text(&summary.text())?;
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
        lines.extend(costs.map(|(agent, cost)| format!("    {agent}: {}", Cents(*cost).dollars())));
        lines.push(format!("    total: {}", Cents(last.total).dollars()));
    }
    if let Some(best) = &result.best {
        let total = Cents(best.total).dollars();
        lines.push(format!("  Best total: {total} in iteration {}", best.iteration + 1));
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
