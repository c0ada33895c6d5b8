//! `run`: simulate a scenario, print it, store it; go on with one that is stored.

use std::sync::Arc;

use indicatif::ProgressBar;

use super::args::{ModeOptions, RunArgs};
use super::error::{CliError, report_warnings, say};
use super::interrupt;
use super::progress::bar;
use super::replay::{result_of_failed, unknown};
use super::show::{Mode, Show, ShowError};
use super::timings::Timings;
use crate::engine::Phase;
use crate::event::Event;
use crate::metrics::SimulationSummary;
use crate::persistence::{Access, Database, DuckDbProvider, PersistenceError, Ticket};
use crate::run::{
    self, CancelFlag, Finished, Observer, Outcome, Resumption, SimulationRequest, Storage, TickReport,
    new_simulation_id, simulate,
};
use crate::scenario::{Overrides, Scenario};
use crate::sources::{self, LoadedScenario};
use crate::time::Tick;

/// Runs the command. Nothing is created before everything is accepted.
pub fn run(args: &RunArgs) -> Result<(), CliError> {
    args.mode.mode()?;
    if let Some(id) = &args.resume {
        return resume(args, id);
    }
    let overrides = Overrides { seed: args.seed, ticks: args.ticks, strict: args.strict };
    let file = args.file.as_deref().or(args.config.as_deref()).unwrap_or_default();
    let loaded = sources::load_scenario(file, &overrides)?;
    report_warnings(file, &loaded.findings);
    // Before anything is made: whoever stops the run from now on finds it kept.
    let cancel = interrupt::watch();
    let store = Store::open(args)?;
    let ticks = args.run_ticks.unwrap_or(loaded.resolved.calendar.end().0);
    let digest = store.is_some() || args.digest;
    let show = Show::new(loaded.resolved.clone(), &args.mode, digest)?;
    let mut watching = Watching::new(show, 0, ticks, &cancel).with_timings(args.debug);
    let finished = simulated(&loaded, ticks, store.as_ref(), args, &mut watching, &cancel);
    let subject = Subject { config_file: loaded.config_file, scenario: loaded.resolved };
    watching.end(subject, store.as_ref(), finished, &args.mode)
}

/// Where the simulation is stored.
struct Store {
    database: Database,
    provider: DuckDbProvider,
    id: String,
}

impl Store {
    fn open(args: &RunArgs) -> Result<Option<Self>, CliError> {
        let named = args.simulation_id.is_some() || args.description.is_some();
        if !args.persist && args.db.db.is_none() && !named && args.checkpoint_every.is_none() {
            return Ok(None);
        }
        let database = args.db.open(Access::Write)?;
        let provider = database.provider()?;
        let id = args.simulation_id.clone().unwrap_or_else(new_simulation_id);
        Ok(Some(Self { database, provider, id }))
    }
}

fn simulated(
    loaded: &LoadedScenario,
    ticks: u64,
    store: Option<&Store>,
    args: &RunArgs,
    watching: &mut Watching<'_>,
    cancel: &CancelFlag,
) -> Result<Finished, PersistenceError> {
    let request = SimulationRequest { scenario: loaded.resolved.clone(), ticks };
    let storage = store.map(|store| {
        let id = store.id.clone();
        let mut start = run::start_of(&loaded.file, &loaded.resolved, id, &loaded.config_file, ticks);
        start.description.clone_from(&args.description);
        Storage { provider: &store.provider, start, checkpoint_every: args.checkpoint_every }
    });
    simulate(&request, storage, watching, cancel)
}

/// Goes on with a stored simulation.
fn resume(args: &RunArgs, id: &str) -> Result<(), CliError> {
    let cancel = interrupt::watch();
    let database = args.db.open_existing()?;
    let reader = database.reader()?;
    let resumption = Resumption::new(&reader, id).map_err(|error| match error {
        PersistenceError::Unknown { .. } => unknown(&database, &reader, id),
        other => other.into(),
    })?;
    for refused in resumption.refused() {
        say(&format!("warning: {refused}; it is passed over"));
    }
    let (row, scenario) = (resumption.row(), resumption.scenario().clone());
    let stored = row.last_tick.map_or(0, |last| last + 1);
    if !args.mode.quiet {
        let from = match resumption.from_tick() {
            Tick(0) => "from the start".to_owned(),
            Tick(next) => format!("from the checkpoint after tick {}", next - 1),
        };
        say(&format!("note: {stored} of {} ticks are stored; simulating {from}", row.num_ticks));
    }
    let mut show = Show::new(scenario.clone(), &args.mode, true)?;
    show.only(Some((stored, u64::MAX)));
    let subject = Subject { config_file: row.config_file.clone(), scenario };
    let mut watching = Watching::new(show, stored, row.num_ticks, &cancel).with_timings(args.debug);
    let store = Store { provider: database.provider()?, id: id.to_owned(), database: database.clone() };
    let finished = resumption.run(&reader, &store.provider, args.checkpoint_every, &mut watching, &cancel);
    if matches!(finished, Err(PersistenceError::Cancelled)) {
        say("note: stopped before it went on; nothing has changed");
        return Err(CliError::Interrupted);
    }
    watching.end(subject, Some(&store), finished, &args.mode)
}

/// What was simulated.
struct Subject {
    config_file: String,
    scenario: Arc<Scenario>,
}

/// Prints the ticks as they come.
struct Watching<'a> {
    show: Show,
    progress: ProgressBar,
    timings: Option<Timings>,
    cancel: &'a CancelFlag,
    failure: Option<ShowError>,
}

impl Observer for Watching<'_> {
    fn tick(&mut self, report: &TickReport<'_>) {
        if let Some(timings) = &mut self.timings {
            timings.tick(report.tick);
        }
        self.progress.inc(1);
        self.stored(report.tick, report.first_sequence, report.events);
        if let Some(timings) = &mut self.timings {
            timings.go_on();
        }
    }

    fn phase(&mut self, phase: Phase) {
        if let Some(timings) = &mut self.timings {
            timings.phase(phase);
        }
    }

    fn stored(&mut self, tick: Tick, first_sequence: u64, events: &[Event]) {
        if self.failure.is_none()
            && let Err(error) = self.show.tick(tick, first_sequence, events)
        {
            self.failure = Some(error);
            self.cancel.cancel();
        }
    }
}

impl<'a> Watching<'a> {
    /// Of a simulation of which so many ticks are done.
    fn new(show: Show, done: u64, ticks: u64, cancel: &'a CancelFlag) -> Self {
        let progress = progress(show.mode(), ticks);
        progress.set_position(done);
        Self { show, progress, timings: None, cancel, failure: None }
    }

    /// With the times of every tick instead of a bar, if they are asked for.
    fn with_timings(mut self, asked: bool) -> Self {
        if asked {
            self.progress = ProgressBar::hidden();
            self.timings = Some(Timings::new());
        }
        self
    }

    fn end(
        self,
        subject: Subject,
        store: Option<&Store>,
        finished: Result<Finished, PersistenceError>,
        options: &ModeOptions,
    ) -> Result<(), CliError> {
        self.progress.finish_and_clear();
        let mut finished = finished.map_err(|error| ended_by_storage(error, store, options))?;
        if let Some(timings) = &self.timings {
            timings.end();
        }
        // Nothing is reported as complete before it is committed.
        let committed = finished.ticket.take().map(Ticket::wait).transpose();
        match (self.failure, committed) {
            (None, Err(error)) => Err(ended_by_storage(error, store, options)),
            (Some(_), Err(error)) => Err(error.into()),
            // The reader of the output has gone: the simulation was stopped and is kept as cancelled.
            (Some(error), Ok(_)) => Err(error.into()),
            (None, Ok(_)) => report(subject, store, finished, self.show),
        }
    }
}

/// A tick that could not be stored ends a simulation like any failure: what is stored of it is its result.
fn ended_by_storage(error: PersistenceError, store: Option<&Store>, options: &ModeOptions) -> CliError {
    if let (PersistenceError::Write { .. }, Some(store)) = (&error, store)
        && store.database.path().exists()
        && let Err(unreadable) = result_of_failed(&store.database, &store.id, options)
    {
        // The first error counts.
        tracing::warn!(?unreadable, "no result can be shown of what is stored");
    }
    error.into()
}

/// A bar where nothing else is printed meanwhile.
fn progress(mode: Mode, ticks: u64) -> ProgressBar {
    let shown = matches!(mode, Mode::Normal | Mode::Stream | Mode::EventStream);
    if shown { bar(ticks, "ticks") } else { ProgressBar::hidden() }
}

fn report(subject: Subject, store: Option<&Store>, finished: Finished, show: Show) -> Result<(), CliError> {
    let Finished { outcome, ticks, events, duration, .. } = finished;
    let status = match &outcome {
        Outcome::Completed => "completed",
        Outcome::Cancelled => "cancelled",
        Outcome::Failed(_) => "failed",
    };
    let Subject { config_file, scenario } = subject;
    let summary = SimulationSummary {
        config_file,
        seed: scenario.seed,
        ticks_per_day: scenario.calendar.ticks_per_day,
        num_days: scenario.calendar.num_days,
        ticks_executed: ticks,
        status: status.to_owned(),
        duration_seconds: duration.as_secs_f64(),
        event_count: events,
        event_digest: show.digest(),
        simulation_id: store.map(|store| store.id.clone()),
        database: store.map(|store| store.database.path().display().to_string()),
        replay_range: None,
    };
    let quiet = show.mode() == Mode::Quiet;
    show.finish(summary)?;
    if let Some(store) = store.filter(|_| !quiet) {
        say(&format!("stored as {} in {}", store.id, store.database.path().display()));
    }
    match outcome {
        Outcome::Completed => Ok(()),
        Outcome::Cancelled => Err(CliError::Interrupted),
        Outcome::Failed(failure) => Err(CliError::failed(failure.to_string())),
    }
}
