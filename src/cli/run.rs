//! `run`: simulate a scenario, print it, store it.

use indicatif::ProgressBar;

use super::args::RunArgs;
use super::error::{CliError, report_warnings, say};
use super::show::{Mode, Show, ShowError};
use super::{interrupt, progress};
use crate::metrics::SimulationSummary;
use crate::persistence::{Access, Database, DuckDbProvider};
use crate::run::{
    self, CancelFlag, Finished, Outcome, SimulationRequest, Storage, TickReport, new_simulation_id, simulate,
};
use crate::scenario::Overrides;
use crate::sources::{self, LoadedScenario};

/// Runs the command. Nothing is created before everything is accepted.
pub fn run(args: &RunArgs) -> Result<(), CliError> {
    args.mode.mode()?;
    let overrides = Overrides { seed: args.seed, ticks: args.ticks, strict: args.strict };
    let file = args.file.as_deref().or(args.config.as_deref()).unwrap_or_default();
    let loaded = sources::load_scenario(file, &overrides)?;
    report_warnings(file, &loaded.findings);
    // Before anything is made: whoever stops the run from now on finds it kept.
    let cancel = interrupt::watch();
    let store = Store::open(args)?;
    let ticks = args.run_ticks.unwrap_or(loaded.resolved.calendar.end().0);
    let digest = store.is_some() || args.digest;
    let mut show = Show::new(loaded.resolved.clone(), &args.mode, digest)?;
    let finished = simulated(&loaded, ticks, store.as_ref(), args, &mut show, &cancel)?;
    report(&loaded, store.as_ref(), finished, show)
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
        if !args.persist && args.db.db.is_none() && !named {
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
    show: &mut Show,
    cancel: &CancelFlag,
) -> Result<Finished, CliError> {
    let request = SimulationRequest { scenario: loaded.resolved.clone(), ticks };
    let storage = store.map(|store| {
        let id = store.id.clone();
        let mut start = run::start_of(&loaded.file, &loaded.resolved, id, &loaded.config_file, ticks);
        start.description.clone_from(&args.description);
        Storage { provider: &store.provider, start }
    });
    let shows_none = matches!(show.mode(), Mode::Quiet | Mode::Verbose);
    let progress = if shows_none { ProgressBar::hidden() } else { progress::bar(ticks, "ticks") };
    let mut failure = None;
    let mut observer = |report: &TickReport<'_>| {
        progress.inc(1);
        if failure.is_none()
            && let Err(error) = show.tick(report.tick, report.first_sequence, report.events)
        {
            failure = Some(error);
            cancel.cancel();
        }
    };
    let finished = simulate(&request, storage, &mut observer, cancel)?;
    progress.finish_and_clear();
    match failure {
        Some(error) => Err(ended_by_output(error, finished)),
        None => Ok(finished),
    }
}

/// The reader of the output has gone: the simulation was stopped and is kept as cancelled.
fn ended_by_output(error: ShowError, finished: Finished) -> CliError {
    let committed = finished.ticket.map(crate::persistence::Ticket::wait).transpose();
    match committed {
        Ok(_) => error.into(),
        Err(error) => error.into(),
    }
}

fn report(
    loaded: &LoadedScenario,
    store: Option<&Store>,
    finished: Finished,
    show: Show,
) -> Result<(), CliError> {
    let Finished { outcome, ticks, events, duration, ticket, .. } = finished;
    // Nothing is reported as complete before it is committed.
    ticket.map(crate::persistence::Ticket::wait).transpose()?;
    let status = match &outcome {
        Outcome::Completed => "completed",
        Outcome::Cancelled => "cancelled",
        Outcome::Failed(_) => "failed",
    };
    let summary = SimulationSummary {
        config_file: loaded.config_file.clone(),
        seed: loaded.resolved.seed,
        ticks_per_day: loaded.resolved.calendar.ticks_per_day,
        num_days: loaded.resolved.calendar.num_days,
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
