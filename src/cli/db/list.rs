//! `db list`: recorded simulations.

use serde_json::{Value, json};

use super::{status, word};
use crate::cli::args::ListArgs;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::money::{counted, grouped};
use crate::persistence::{Access, Purpose, SimulationFilter, SimulationRow};
use crate::table::{left, render, right};

/// Lists simulations, newest first.
pub fn list(args: &ListArgs) -> Result<(), CliError> {
    let filter = SimulationFilter {
        run: args.run.clone(),
        status: status(args.status.as_deref())?,
        purpose: word(args.purpose.as_deref(), "purpose", Purpose::find, Purpose::ALL, Purpose::name)?,
        limit: (args.limit > 0).then_some(args.limit),
        ..SimulationFilter::default()
    };
    let reader = args.db.open(Access::Read)?.reader()?;
    let page = reader.simulations(&filter)?;
    if let Some(run) = args.run.as_ref().filter(|_| page.total == 0)
        && reader.run(run)?.is_none()
    {
        return Err(reader.database().unknown_run(run).into());
    }
    let mut output = Output::new();
    if args.json {
        for row in &page.rows {
            output.line(&simulation_json(row).to_string())?;
        }
        return Ok(output.finish()?);
    }
    output.text(&table(&page.rows))?;
    output.line(&format!("{} of {}", grouped(page.rows.len() as u64), counted(page.total, "simulation")))?;
    Ok(output.finish()?)
}

/// Simulations as a table for people.
pub fn table(rows: &[SimulationRow]) -> String {
    let rows: Vec<Vec<String>> = rows.iter().map(simulation_cells).collect();
    let columns = [
        left("Id"),
        left("Scenario"),
        left("Purpose"),
        left("Run"),
        right("Iteration"),
        right("Seed"),
        right("Ticks"),
        left("Status"),
        left("Started"),
    ];
    render(&columns, &rows)
}

fn simulation_cells(row: &SimulationRow) -> Vec<String> {
    vec![
        row.simulation_id.clone(),
        row.config_name.clone(),
        row.purpose.to_string(),
        row.experiment_run_id.clone().unwrap_or_default(),
        row.experiment_iteration.map_or_else(String::new, |iteration| place(row, iteration)),
        row.rng_seed.to_string(),
        format!("{}/{}", row.last_tick.map_or(0, |last| last + 1), row.num_ticks),
        row.status.to_string(),
        row.started_at.format("%Y-%m-%d %H:%M"),
    ]
}

/// The iteration as people count, or the point of a sweep by its number.
fn place(row: &SimulationRow, iteration: u32) -> String {
    if row.purpose == Purpose::Sweep {
        iteration.to_string()
    } else {
        iteration.saturating_add(1).to_string()
    }
}

fn simulation_json(row: &SimulationRow) -> Value {
    json!({
        "simulation_id": row.simulation_id, "config_file": row.config_file, "config_name": row.config_name,
        "description": row.description, "purpose": row.purpose.name(),
        "experiment_run_id": row.experiment_run_id, "experiment_iteration": row.experiment_iteration,
        "experiment_agent": row.experiment_agent, "experiment_sample": row.experiment_sample,
        "rng_seed": row.rng_seed, "num_ticks": row.num_ticks,
        "ticks_stored": row.last_tick.map_or(0, |last| last + 1), "event_count": row.event_count,
        "status": row.status.name(), "started_at": row.started_at.to_string(),
        "total_arrivals": row.total_arrivals, "total_settlements": row.total_settlements,
        "total_cost_cents": row.total_cost_cents, "event_digest": row.event_digest, "error": row.error,
    })
}
