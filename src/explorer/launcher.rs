//! Jobs: what can be launched is read and checked here, and run in threads of its own.

mod pause;
#[cfg(test)]
mod tests;
mod trial;

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;

use self::pause::Pause;
use super::format;
use super::message::{JobId, Message};
use super::rows::{
    ExperimentPlan, ExperimentSettings, Hearing, JobReport, Kind, LibraryItem, Persist, Plan, Progress,
    Status, Subject, SweepSize,
};
use super::source::with_hint;
use crate::experiment::extent::Extent;
use crate::experiment::file::{Experiment, PersistLevel};
use crate::experiment::recorded::{Changes, RecordedRun};
use crate::experiment::runner::{self, ExperimentError, PointNote, RunOptions, RunResult, SimulationNote};
use crate::experiment::stream::{EventKind, StreamEvent};
use crate::experiment::sweep::Sweep;
use crate::finding::{Findings, Severity};
use crate::library;
use crate::persistence::{self as store, Database};
use crate::policy::PolicyDocument;
use crate::run::{
    CancelFlag, Outcome, SimulationRequest, Storage, TickReport, new_simulation_id, simulate, start_of,
};
use crate::scenario::Overrides;
use crate::sources::{
    ExperimentOptions, Source, SourceError, copy_library_file, from_environment, kind_of, load_experiment,
    load_scenario, read_script,
};
use crate::text::panic_message;

/// Time between two reports of a job's progress.
const REPORT: Duration = Duration::from_millis(100);

/// The library as Home shows it: what is launched most comes first.
pub fn library_items() -> Vec<LibraryItem> {
    let kinds = [
        (library::Kind::Experiment, Kind::Experiment),
        (library::Kind::Scenario, Kind::Scenario),
        (library::Kind::Policy, Kind::Policy),
    ];
    let items = kinds.into_iter().flat_map(|(wanted, kind)| {
        library::of_kind(wanted).map(move |asset| LibraryItem {
            kind,
            name: asset.name.to_owned(),
            question: asset.question.to_owned(),
        })
    });
    items.collect()
}

/// Reads a file or a library entry, and says what it is and with which settings it would run.
///
/// # Errors
///
/// Why it cannot be launched, one finding a line.
pub fn inspect(argument: &str) -> Result<Subject, String> {
    match kind_of(argument).map_err(|error| explained(&error))? {
        library::Kind::Experiment => inspect_experiment(argument),
        library::Kind::Scenario => inspect_scenario(argument),
        library::Kind::Policy => {
            Err(format!("`{argument}` is a policy; a scenario or an experiment uses it"))
        }
    }
}

/// The file to edit: the one named, or a fresh copy of a library entry with all that it refers to.
///
/// # Errors
///
/// There is no such entry, or it cannot be copied.
pub fn draft(argument: &str, drafts: Option<&Path>) -> Result<PathBuf, String> {
    let Some(name) = library::name_in(argument) else {
        Source::open(argument, library::Kind::Scenario).map_err(|error| explained(&error))?;
        return Ok(PathBuf::from(argument));
    };
    let asset = library::find(name).map_err(|error| format!("{error}\n{}", error.hint()))?;
    let drafts = drafts.ok_or("there is no folder for a copy: HOME is not set")?;
    let numbered = (1..).map(|number: u32| drafts.join(format!("{name}-{number}")));
    let folder = numbered.into_iter().find(|folder| !folder.exists()).unwrap_or_else(|| drafts.join(name));
    for file in asset.files() {
        copy_library_file(&file, &folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    Ok(folder.join(asset.file.path))
}

/// Reads a policy of a file or of the library.
///
/// # Errors
///
/// Why it is none, one finding a line.
pub fn policy_file(argument: &str) -> Result<Box<PolicyDocument>, String> {
    let source = Source::open(argument, library::Kind::Policy).map_err(|error| explained(&error))?;
    let mut findings = Findings::default();
    let document = PolicyDocument::from_json_text(&source.text, "", &mut findings);
    let wrong = findings.errors().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    document.map(Box::new).filter(|_| !findings.has_errors()).ok_or(wrong)
}

fn inspect_scenario(argument: &str) -> Result<Subject, String> {
    let loaded = load_scenario(argument, &Overrides::default()).map_err(|error| explained(&error))?;
    let calendar = loaded.resolved.calendar;
    Ok(Subject {
        kind: Kind::Scenario,
        name: loaded.config_name,
        description: question_of(argument),
        seed: loaded.resolved.seed.to_string(),
        banks: loaded.resolved.banks.len() as u64,
        ticks: calendar.end().0,
        trial: trial::trial(loaded.resolved.clone(), calendar.end().0),
        experiment: None,
        warnings: warnings(&loaded.findings),
    })
}

fn inspect_experiment(argument: &str) -> Result<Subject, String> {
    let loaded =
        load_experiment(argument, &ExperimentOptions::default()).map_err(|error| explained(&error))?;
    let plan = &loaded.plan;
    let experiment = &plan.experiment;
    let ticks = experiment.evaluation.ticks;
    let resolved = plan.scenario.resolve().ok();
    let mut notes = warnings(&loaded.findings);
    notes.extend(warnings(&loaded.scenario_findings.1));
    notes.extend(plan.notices());
    Ok(Subject {
        kind: Kind::Experiment,
        name: experiment.name.clone(),
        description: match experiment.description.trim() {
            "" => question_of(argument),
            description => description.to_owned(),
        },
        seed: experiment.master_seed.clone(),
        banks: plan.scenario.agents.len() as u64,
        ticks,
        trial: resolved.and_then(|scenario| trial::trial(scenario.into(), ticks)),
        experiment: Some(ExperimentSettings {
            mode: mode_of(experiment).to_owned(),
            iterations: u64::from(experiment.convergence.max_iterations),
            samples: experiment.evaluation.samples() as u64,
            proposer: plan.proposer.model(),
            persist: shown_level(experiment.persist_simulations),
            workers: thread::available_parallelism().map_or(1, |count| count.get() as u64),
            optimized: experiment.optimized_agents.clone(),
            sweep: experiment.sweep.as_ref().map(sweep_size),
            extent: Extent::of(experiment, &plan.proposer),
        }),
        warnings: notes,
    })
}

fn mode_of(experiment: &Experiment) -> &'static str {
    if experiment.sweep.is_some() { "sweep" } else { experiment.evaluation.mode.name() }
}

fn sweep_size(sweep: &Sweep) -> SweepSize {
    SweepSize {
        points: sweep.points().unwrap_or(0) as u64,
        repetitions: u64::from(sweep.repetitions),
        axes: sweep.vary.iter().map(|axis| axis.target.label()).collect(),
    }
}

fn question_of(argument: &str) -> String {
    let asset = library::name_in(argument).and_then(|name| library::find(name).ok());
    asset.map(|asset| asset.question.to_owned()).unwrap_or_default()
}

fn warnings(findings: &Findings) -> Vec<String> {
    findings.warnings().map(ToString::to_string).collect()
}

/// An error with its findings and what to do about it.
fn explained(error: &SourceError) -> String {
    let mut text = error.to_string();
    if let SourceError::Refused { findings, .. } = error {
        for finding in findings.0.iter().filter(|finding| finding.severity == Severity::Error) {
            text.push_str(&format!("\n{finding}"));
        }
    }
    if let Some(hint) = error.hint() {
        text.push_str(&format!("\n{hint}"));
    }
    text
}

const fn shown_level(level: PersistLevel) -> Persist {
    match level {
        PersistLevel::None => Persist::None,
        PersistLevel::Primary => Persist::Primary,
        PersistLevel::All => Persist::All,
    }
}

const fn stored_level(level: Persist) -> PersistLevel {
    match level {
        Persist::None => PersistLevel::None,
        Persist::Primary => PersistLevel::Primary,
        Persist::All => PersistLevel::All,
    }
}

/// A job that was started.
struct Running {
    cancel: CancelFlag,
    pause: Pause,
    handle: thread::JoinHandle<()>,
}

impl Running {
    /// Asks it to stop, also while it is paused.
    fn cancel(&self) {
        self.cancel.cancel();
        self.pause.set(false);
    }
}

/// Where jobs run.
pub struct Launcher {
    database: Database,
    messages: UnboundedSender<Message>,
    running: HashMap<JobId, Running>,
}

impl Launcher {
    /// Jobs write into this database and report to this sender.
    pub fn new(database: Database, messages: UnboundedSender<Message>) -> Self {
        Self { database, messages, running: HashMap::new() }
    }

    /// Starts a job in a thread of its own. Whatever becomes of it, it reports its end.
    pub fn start(&mut self, id: JobId, plan: Plan) {
        let cancel = CancelFlag::default();
        let pause = Pause::default();
        let reporter = Reporter::new(id, self.messages.clone());
        let work = Work {
            database: self.database.clone(),
            plan,
            reporter: reporter.clone(),
            cancel: cancel.clone(),
            pause: pause.clone(),
        };
        let end = reporter.clone();
        let run = move || {
            let ended = catch_unwind(AssertUnwindSafe(|| work.run())).unwrap_or_else(|panic| {
                (Status::Failed, format!("internal error: {}", panic_message(panic.as_ref())))
            });
            end.end(ended.0, ended.1);
        };
        match thread::Builder::new().name(format!("job-{id}")).spawn(run) {
            Ok(handle) => {
                self.running.insert(id, Running { cancel, pause, handle });
            }
            Err(error) => reporter.end(Status::Failed, format!("no thread for it: {error}")),
        }
    }

    /// Asks a job to stop after its current tick.
    pub fn cancel(&self, id: JobId) {
        if let Some(job) = self.running.get(&id) {
            job.cancel();
        }
    }

    /// Lets a job wait between two ticks or simulations, or go on.
    pub fn pause(&self, id: JobId, paused: bool) {
        if let Some(job) = self.running.get(&id) {
            job.pause.set(paused);
        }
    }

    /// Asks all jobs to stop, and waits for them for a while.
    pub fn shut_down(&mut self, patience: Duration) {
        self.running.values().for_each(Running::cancel);
        let until = Instant::now() + patience;
        while Instant::now() < until && self.running.values().any(|job| !job.handle.is_finished()) {
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Reports of one job; progress at most every [`REPORT`].
#[derive(Clone)]
struct Reporter {
    id: JobId,
    messages: UnboundedSender<Message>,
    began: Instant,
    last: Option<Instant>,
}

impl Reporter {
    fn new(id: JobId, messages: UnboundedSender<Message>) -> Self {
        Self { id, messages, began: Instant::now(), last: None }
    }

    /// A reader that is gone has left the explorer: nothing is to be told any more.
    fn send(&self, report: JobReport) {
        let _ = self.messages.send(Message::Job(self.id, report));
    }

    /// Time in which the job was paused.
    fn leave_out(&mut self, paused: Duration) {
        self.began += paused;
    }

    fn is_due(&mut self) -> bool {
        let due = self.last.is_none_or(|last| last.elapsed() >= REPORT);
        if due {
            self.last = Some(Instant::now());
        }
        due
    }

    fn progress(&self, part: f64, stage: String, simulations: u64, ticks: u64) {
        let elapsed_seconds = self.began.elapsed().as_secs_f64();
        let ticks_per_second = if elapsed_seconds > 0.0 { ticks as f64 / elapsed_seconds } else { 0.0 };
        self.send(JobReport::Progress(Progress {
            part,
            stage,
            simulations,
            ticks_per_second,
            elapsed_seconds,
        }));
    }

    fn end(&self, status: Status, message: String) {
        self.send(JobReport::Ended { status, message });
    }
}

struct Work {
    database: Database,
    plan: Plan,
    reporter: Reporter,
    cancel: CancelFlag,
    pause: Pause,
}

impl Work {
    /// Runs to the end, whatever that is, and says how it ended.
    fn run(self) -> (Status, String) {
        let ended = match (self.plan.kind, self.plan.experiment.clone()) {
            (Kind::Resume | Kind::Rerun, _) => self.run_recorded(),
            (_, Some(settings)) => self.run_experiment(&settings),
            (_, None) => self.run_scenario(),
        };
        ended.unwrap_or_else(|problem| (Status::Failed, problem))
    }

    fn run_scenario(mut self) -> Result<(Status, String), String> {
        let seed = self.plan.seed.parse().map_err(|_| format!("`{}` is no seed", self.plan.seed))?;
        let overrides = Overrides { seed: Some(seed), ..Overrides::default() };
        let loaded = load_scenario(&self.plan.source, &overrides).map_err(|error| explained(&error))?;
        let ticks = self.plan.ticks.unwrap_or_else(|| loaded.resolved.calendar.end().0);
        let id = new_simulation_id();
        let start = start_of(&loaded.file, &loaded.resolved, id.clone(), &loaded.config_file, ticks);
        let provider = self.database.provider().map_err(|error| with_hint(&error))?;
        self.reporter.send(JobReport::Started { run: None, simulation: Some(id) });
        let request = SimulationRequest { scenario: loaded.resolved.clone(), ticks };
        let reporter = &mut self.reporter;
        let pause = &self.pause;
        let mut observer = |report: &TickReport<'_>| {
            reporter.leave_out(pause.wait());
            if reporter.is_due() {
                let done = report.tick.0 + 1;
                let stage = format!("tick {done} of {ticks}");
                reporter.progress(done as f64 / ticks.max(1) as f64, stage, 0, done);
            }
        };
        let storage = Storage { provider: &provider, start, checkpoint_every: None };
        let finished = simulate(&request, Some(storage), &mut observer, &self.cancel)
            .map_err(|error| with_hint(&error))?;
        if let Some(ticket) = finished.ticket {
            ticket.wait().map_err(|error| with_hint(&error))?;
        }
        let done = finished.ticks;
        let part = done as f64 / ticks.max(1) as f64;
        self.reporter.progress(part, format!("tick {done} of {ticks}"), 1, done);
        let stored = format!("{done} of {ticks} ticks, {} events stored", finished.events);
        Ok(match finished.outcome {
            Outcome::Completed => (Status::Completed, stored),
            Outcome::Cancelled => (Status::Cancelled, stored),
            Outcome::Failed(failure) => (Status::Failed, format!("{failure}; {stored}")),
        })
    }

    fn run_experiment(self, settings: &ExperimentPlan) -> Result<(Status, String), String> {
        let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let options = ExperimentOptions {
            seed: Some(self.plan.seed.clone()),
            proposer: settings.replaces_proposer.then(|| settings.proposer.clone()),
            persist: Some(stored_level(settings.persist)),
            max_iterations: Some(small(settings.iterations)),
            num_samples: Some(small(settings.samples)),
            ..ExperimentOptions::default()
        };
        let loaded = load_experiment(&self.plan.source, &options).map_err(|error| explained(&error))?;
        let experiment = &loaded.plan.experiment;
        let mut watch = Watch::new(self.reporter, self.pause, experiment);
        let workers = usize::try_from(settings.workers).ok();
        let options = RunOptions { workers, ..RunOptions::default() };
        let result = runner::run(&loaded.plan, &options, Some(&self.database), &mut watch, &self.cancel);
        ended(experiment, result)
    }

    /// A recorded run goes on, or its experiment is run once more.
    fn run_recorded(self) -> Result<(Status, String), String> {
        let recorded =
            self.database.reader().and_then(|reader| RecordedRun::read(&reader, &self.plan.source));
        let recorded = recorded.map_err(|error| with_hint(&error))?;
        let plan = recorded
            .plan(&Changes::default(), &from_environment, &read_script)
            .map_err(|findings| refusal(&findings))?;
        let mut watch = Watch::new(self.reporter, self.pause, &plan.experiment);
        let no_baselines = recorded.is_without_baselines();
        let (options, database) = (RunOptions { no_baselines, ..RunOptions::default() }, &self.database);
        let result = if self.plan.kind == Kind::Resume {
            runner::resume(&recorded, &plan, false, &options, database, &mut watch, &self.cancel)
        } else {
            runner::run(&plan, &options, Some(database), &mut watch, &self.cancel)
        };
        ended(&plan.experiment, result)
    }
}

/// How an experiment ended, and what there is to say about it.
fn ended(
    experiment: &Experiment,
    result: Result<RunResult, ExperimentError>,
) -> Result<(Status, String), String> {
    let result = result.map_err(|error| match &error {
        ExperimentError::Refused(findings) => refusal(findings),
        other => other.hint().map_or_else(|| other.to_string(), |hint| format!("{other} ({hint})")),
    })?;
    let status = match result.status {
        store::Status::Completed => Status::Completed,
        store::Status::Cancelled => Status::Cancelled,
        _ => Status::Failed,
    };
    if experiment.sweep.is_some() {
        return Ok((status, result.convergence_reason));
    }
    let iterations = result.num_iterations;
    Ok((status, format!("{} after {iterations} iterations", result.convergence_reason)))
}

fn refusal(findings: &Findings) -> String {
    findings.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Reports an experiment's course.
struct Watch {
    reporter: Reporter,
    pause: Pause,
    /// Iterations at most, or runs of a sweep.
    steps: u64,
    unit: &'static str,
    ticks: u64,
    step: u64,
    simulations: u64,
    hearing: Hearing,
}

impl Watch {
    fn new(reporter: Reporter, pause: Pause, experiment: &Experiment) -> Self {
        let runs = experiment.sweep.as_ref().map(|sweep| sweep.runs().unwrap_or(0) as u64);
        Self {
            reporter,
            pause,
            steps: runs.unwrap_or_else(|| u64::from(experiment.convergence.max_iterations)).max(1),
            unit: if runs.is_some() { "run" } else { "iteration" },
            ticks: experiment.evaluation.ticks,
            step: 0,
            simulations: 0,
            hearing: Hearing::default(),
        }
    }

    fn progress(&self) {
        let part = self.step as f64 / self.steps as f64;
        let stage = format!("{} {} of {}", self.unit, self.step, self.steps);
        let ticks = self.simulations.saturating_mul(self.ticks);
        self.reporter.progress(part.min(1.0), stage, self.simulations, ticks);
    }
}

impl runner::Observer for Watch {
    fn started(&mut self, run_id: &str) {
        self.reporter.send(JobReport::Started { run: Some(run_id.to_owned()), simulation: None });
    }

    fn recalled(&mut self, event: &StreamEvent) {
        self.step = u64::from(event.iteration) + u64::from(event.kind >= EventKind::IterationStart);
    }

    fn event(&mut self, event: &StreamEvent) {
        self.recalled(event);
        if event.kind == EventKind::Interaction && !std::mem::take(&mut self.hearing).text.is_empty() {
            self.reporter.send(JobReport::Heard(None));
        }
        if let Some(line) = spoken(event) {
            self.reporter.send(JobReport::Log(line));
        }
        self.progress();
    }

    fn heard(&mut self, agent: &str, call: u32, piece: &str) {
        if self.hearing.agent != agent || self.hearing.call != call {
            self.hearing = Hearing { agent: agent.to_owned(), call, text: String::new() };
        }
        self.hearing.text.push_str(piece);
        if self.reporter.is_due() {
            self.reporter.send(JobReport::Heard(Some(self.hearing.clone())));
        }
    }

    fn recalled_points(&mut self, number: u64) {
        self.step = number;
    }

    fn point(&mut self, note: &PointNote) {
        self.step += 1;
        if let PointNote { point, repetition, error: Some(error) } = note {
            let line = format!("point {point}, repetition {repetition} failed: {error}");
            self.reporter.send(JobReport::Log(line));
        }
        if self.reporter.is_due() {
            self.progress();
        }
    }

    fn simulation(&mut self, note: &SimulationNote) {
        self.reporter.leave_out(self.pause.wait());
        self.simulations = self.simulations.saturating_add(note.samples.max(1) as u64);
        if self.reporter.is_due() {
            self.progress();
        }
    }
}

/// A live event as a line of the log; `None` for those that only repeat others.
fn spoken(event: &StreamEvent) -> Option<String> {
    let text = |key: &str| event.data.get(key).and_then(|value| value.as_str()).unwrap_or("");
    let money = |key: &str| {
        let cents = event.data.get(key).and_then(serde_json::Value::as_i64);
        cents.map_or_else(|| "?".to_owned(), |cents| crate::money::Cents(cents).to_string())
    };
    let iteration = format::iteration(u64::from(event.iteration));
    Some(match event.kind {
        EventKind::ExperimentStart => format!("{} by {}", text("evaluation_mode"), text("proposer")),
        EventKind::Evaluation => format!("iteration {iteration}: total cost {}", money("total_cost")),
        EventKind::PolicyChange => format!(
            "iteration {iteration}: {} accepted, {} > {} ({})",
            text("agent_id"),
            money("old_cost"),
            money("new_cost"),
            text("reason")
        ),
        EventKind::PolicyRejected => {
            format!("iteration {iteration}: {} rejected ({})", text("agent_id"), text("reason"))
        }
        EventKind::Interaction if !text("parsing_error").is_empty() => {
            format!("iteration {iteration}: {} no proposal ({})", text("agent_id"), text("parsing_error"))
        }
        EventKind::ExperimentEnd => {
            format!("{}; best total cost {}", text("convergence_reason"), money("best_cost"))
        }
        _ => return None,
    })
}
