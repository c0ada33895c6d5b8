//! `replay`: a recorded simulation again, from its stored rows alone.

use std::sync::Arc;

use super::args::{ModeOptions, ReplayArgs};
use super::error::{CliError, say};
use super::output::Output;
use super::show::{Mode, Show, ShowError};
use crate::metrics::SimulationSummary;
use crate::persistence::{
    Access, Database, PersistenceError, Reader, SimulationFilter, SimulationRow, Status,
};
use crate::scenario::Scenario;
use crate::time::Tick;
use crate::transcript::state_text;

/// Runs the command.
pub fn replay(args: &ReplayArgs) -> Result<(), CliError> {
    args.mode.mode()?;
    let id = args.id.as_deref().or(args.simulation_id.as_deref()).unwrap_or_default();
    let database = args.db.open(Access::Read)?;
    let reader = database.reader()?;
    let row = reader.summary(id)?.ok_or_else(|| unknown(&database, &reader, id))?.row;
    if row.status != Status::Completed && !args.mode.quiet {
        say(&format!("note: simulation {id} is {}; what is stored of it is shown", row.status));
    }
    let scenario = reader.scenario(id)?;
    if scenario.names.of_reference()
        && let Some(lacking) = &row.error
    {
        say(&format!("note: {lacking}"));
    }
    match args.state_at {
        Some(tick) => state_at(&reader, &row, &scenario, tick),
        None => whole_or_part(args, &reader, row, &scenario),
    }
}

/// The error for an unknown id names the nearest and the newest known ones.
pub fn unknown(database: &Database, reader: &Reader, id: &str) -> CliError {
    let error = database.unknown_simulation(id);
    let filter = SimulationFilter { limit: Some(3), ..SimulationFilter::default() };
    let newest: Vec<String> = reader
        .simulations(&filter)
        .map_or_else(|_| Vec::new(), |page| page.rows.into_iter().map(|row| row.simulation_id).collect());
    let hint = match (error.hint(), newest.is_empty()) {
        (Some(hint), false) => Some(format!("{hint}; the newest are {}", newest.join(", "))),
        (None, false) => Some(format!("the newest are {}", newest.join(", "))),
        (hint, true) => hint,
    };
    CliError::Failed { message: error.to_string(), hint }
}

fn state_at(
    reader: &Reader,
    row: &SimulationRow,
    scenario: &Arc<Scenario>,
    tick: u64,
) -> Result<(), CliError> {
    check_tick(row, tick)?;
    let state = reader.state_after(&row.simulation_id, scenario, Some(Tick(tick)))?;
    let mut output = Output::new();
    output.text(&state_text(&state))?;
    Ok(output.finish()?)
}

fn check_tick(row: &SimulationRow, tick: u64) -> Result<(), CliError> {
    match row.last_tick {
        Some(last) if tick <= last => Ok(()),
        Some(last) => Err(CliError::failed(format!(
            "simulation `{}` has no tick {tick}; its stored ticks are 0 to {last}",
            row.simulation_id
        ))),
        None => Err(CliError::failed(format!("simulation `{}` has no stored ticks", row.simulation_id))),
    }
}

fn range(args: &ReplayArgs, row: &SimulationRow) -> Result<Option<(u64, u64)>, CliError> {
    if args.from_tick.is_none() && args.to_tick.is_none() {
        return Ok(None);
    }
    let from = args.from_tick.unwrap_or(0);
    let to = args.to_tick.or(row.last_tick).unwrap_or(0);
    if from > to {
        return Err(CliError::failed(format!("the first tick {from} lies behind the last tick {to}")));
    }
    check_tick(row, to)?;
    Ok(Some((from, to)))
}

fn whole_or_part(
    args: &ReplayArgs,
    reader: &Reader,
    row: SimulationRow,
    scenario: &Arc<Scenario>,
) -> Result<(), CliError> {
    let range = range(args, &row)?;
    let mut show = Show::new(scenario.clone(), &args.mode, false)?;
    show.only(range);
    // The result is that of the whole simulation; lines of ticks and events end with the range.
    let prints_result = matches!(show.mode(), Mode::Normal | Mode::Quiet | Mode::Verbose);
    let last = match range {
        Some((_, to)) if !prints_result => Tick(to),
        _ => Tick(u64::MAX),
    };
    let mut sequence = 0;
    let mut failure: Option<ShowError> = None;
    let visited = reader.each_tick(&row.simulation_id, &scenario.names, last, |tick, events| {
        let shown = show.tick(tick, sequence, events);
        sequence += events.len() as u64;
        shown.map_err(|error| {
            failure = Some(error);
            PersistenceError::Cancelled
        })
    });
    if let Some(error) = failure {
        return Err(error.into());
    }
    visited?;
    show.finish(summary(row, reader, range))
}

/// Prints the result of what is stored of a simulation that could not be stored to its end.
pub fn result_of_failed(database: &Database, id: &str, options: &ModeOptions) -> Result<(), CliError> {
    let reader = database.reader()?;
    let Some(row) = reader.summary(id)?.map(|summary| summary.row) else { return Ok(()) };
    if row.status != Status::Failed {
        return Ok(());
    }
    let scenario = reader.scenario(id)?;
    let mut show = Show::of_result(scenario.clone(), options)?;
    let mut sequence = 0;
    let mut failure = None;
    reader.each_tick(id, &scenario.names, Tick(u64::MAX), |tick, events| {
        failure = failure.take().or(show.tick(tick, sequence, events).err());
        sequence += events.len() as u64;
        Ok(())
    })?;
    failure.map_or_else(|| show.finish(summary(row, &reader, None)), |failure| Err(failure.into()))
}

fn summary(row: SimulationRow, reader: &Reader, replay_range: Option<(u64, u64)>) -> SimulationSummary {
    SimulationSummary {
        config_file: row.config_file,
        seed: row.rng_seed,
        ticks_per_day: row.ticks_per_day,
        num_days: row.num_days,
        ticks_executed: row.last_tick.map_or(0, |last| last + 1),
        status: row.status.name().to_owned(),
        duration_seconds: row.duration_seconds.unwrap_or_default(),
        event_count: row.event_count,
        event_digest: Some(row.event_digest),
        simulation_id: Some(row.simulation_id),
        database: Some(reader.database().path().display().to_string()),
        replay_range,
    }
}
