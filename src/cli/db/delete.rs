//! `db delete`: simulations or whole runs go, with everything that belongs to them.

use std::io::{BufRead as _, Write as _};

use super::{list, status};
use crate::cli::args::DeleteArgs;
use crate::cli::error::{CliError, say};
use crate::cli::output::Output;
use crate::money::{counted, grouped};
use crate::persistence::{Database, Moment, SimulationFilter, SimulationRow};

/// Simulations that are shown before the question.
const SHOWN: usize = 20;

/// Runs the command.
pub fn delete(args: &DeleteArgs) -> Result<(), CliError> {
    let filter = filter(args)?;
    let database = args.db.open_existing()?;
    let simulations = chosen(&database, &filter)?;
    // A run as a whole goes only if nothing but the run was named.
    let whole = args.ids.is_empty() && args.status.is_none() && args.before.is_none();
    let runs: Vec<String> = args.run.iter().filter(|_| whole).cloned().collect();
    if simulations.is_empty() && runs.is_empty() {
        say("no simulation is meant; nothing was deleted");
        return Ok(());
    }
    show(&simulations, &runs)?;
    if !args.yes && !confirmed()? {
        say("nothing was deleted");
        return Ok(());
    }
    let ids: Vec<String> = simulations.into_iter().map(|row| row.simulation_id).collect();
    database.remove(&ids, &runs)?;
    let number = counted(ids.len() as u64, "simulation");
    say(&format!("{number} deleted; `payment-sim db compact` frees the space"));
    Ok(())
}

fn filter(args: &DeleteArgs) -> Result<SimulationFilter, CliError> {
    let moment = |text: &String| {
        Moment::parse(text).ok_or_else(|| {
            let hint = "write a day as 2026-01-31, a moment as 2026-01-31T09:15";
            CliError::usage(format!("`{text}` is no date"), hint)
        })
    };
    Ok(SimulationFilter {
        ids: args.ids.clone(),
        run: args.run.clone(),
        status: status(args.status.as_deref())?,
        before: args.before.as_ref().map(moment).transpose()?,
        ..SimulationFilter::default()
    })
}

/// The simulations that are meant; every id that was named must be there.
fn chosen(database: &Database, filter: &SimulationFilter) -> Result<Vec<SimulationRow>, CliError> {
    let reader = database.reader()?;
    for id in &filter.ids {
        if reader.summary(id)?.is_none() {
            return Err(database.unknown_simulation(id).into());
        }
    }
    if let Some(run) = &filter.run
        && reader.run(run)?.is_none()
    {
        return Err(database.unknown_run(run).into());
    }
    Ok(reader.simulations(filter)?.rows)
}

fn show(simulations: &[SimulationRow], runs: &[String]) -> Result<(), CliError> {
    let mut output = Output::new();
    output.text(&list::table(simulations.get(..SHOWN).unwrap_or(simulations)))?;
    if let Some(more) = simulations.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        output.line(&format!("and {} more", grouped(more as u64)))?;
    }
    let events: u64 = simulations.iter().map(|row| row.event_count).sum();
    let number = counted(simulations.len() as u64, "simulation");
    output.line(&format!("{number} with {}", counted(events, "event")))?;
    for run in runs {
        output.line(&format!("run {run} with its iterations, evaluations and live events"))?;
    }
    Ok(output.finish()?)
}

/// Asks on standard error; who gives no answer at all has not agreed.
fn confirmed() -> Result<bool, CliError> {
    let failed = |error: std::io::Error| CliError::failed(format!("the answer cannot be read: {error}"));
    let mut errors = std::io::stderr().lock();
    write!(errors, "delete them? [y/N] ").and_then(|()| errors.flush()).map_err(failed)?;
    let mut answer = String::new();
    if std::io::stdin().lock().read_line(&mut answer).map_err(failed)? == 0 {
        say("");
        return Err(CliError::Failed {
            message: "nothing was deleted: nobody agreed".to_owned(),
            hint: Some("without a terminal say --yes".to_owned()),
        });
    }
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}
