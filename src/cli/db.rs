//! `db`: what the database holds.

mod import;

use std::io::Read as _;

use serde_json::{Map, Value, json};

use super::args::{DbArgs, DbCommand, DbOption, RowsForm, SchemaForm};
use super::error::CliError;
use super::output::Output;
use super::table::{left, render, right};
use crate::finding::nearest;
use crate::money::grouped;
use crate::persistence::{
    Access, Purpose, SimulationFilter, SimulationRow, SqlTable, SqlValue, Status, schema,
};

/// Runs the command.
pub fn db(args: &DbArgs) -> Result<(), CliError> {
    match &args.command {
        DbCommand::List { db, limit, status, purpose, run, json } => {
            let filter = SimulationFilter {
                run: run.clone(),
                status: word(status.as_deref(), "status", Status::find, Status::ALL, Status::name)?,
                purpose: word(purpose.as_deref(), "purpose", Purpose::find, Purpose::ALL, Purpose::name)?,
                limit: (*limit > 0).then_some(*limit),
                ..SimulationFilter::default()
            };
            list(db, &filter, *json)
        }
        DbCommand::Info { db, json } => info(db, *json),
        DbCommand::Schema { format } => print_schema(*format),
        DbCommand::Import { file, prefix, db } => import::import(file, prefix.as_deref(), db),
        DbCommand::Sql { query, db, format } => sql(query, db, *format),
    }
}

/// The thing of a word; an unknown one is a usage error that names the known ones.
fn word<T: Copy>(
    given: Option<&str>,
    what: &str,
    find: impl Fn(&str) -> Option<T>,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<Option<T>, CliError> {
    let Some(given) = given else { return Ok(None) };
    let known: Vec<&str> = all.iter().map(|item| name(*item)).collect();
    let hint = || match nearest(given, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("one of {}", known.join(", ")),
    };
    find(given).map(Some).ok_or_else(|| CliError::usage(format!("unknown {what} `{given}`"), hint()))
}

fn list(db: &DbOption, filter: &SimulationFilter, as_json: bool) -> Result<(), CliError> {
    let page = db.open(Access::Read)?.reader()?.simulations(filter)?;
    let mut output = Output::new();
    if as_json {
        for row in &page.rows {
            output.line(&simulation_json(row).to_string())?;
        }
        return Ok(output.finish()?);
    }
    let rows: Vec<Vec<String>> = page.rows.iter().map(simulation_cells).collect();
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
    output.text(&render(&columns, &rows))?;
    output.line(&format!("{} of {} simulations", page.rows.len(), grouped(page.total)))?;
    Ok(output.finish()?)
}

fn simulation_cells(row: &SimulationRow) -> Vec<String> {
    vec![
        row.simulation_id.clone(),
        row.config_name.clone(),
        row.purpose.to_string(),
        row.experiment_run_id.clone().unwrap_or_default(),
        row.experiment_iteration.map_or_else(String::new, |iteration| iteration.to_string()),
        row.rng_seed.to_string(),
        format!("{}/{}", row.last_tick.map_or(0, |last| last + 1), row.num_ticks),
        row.status.to_string(),
        row.started_at.format("%Y-%m-%d %H:%M"),
    ]
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

fn info(db: &DbOption, as_json: bool) -> Result<(), CliError> {
    let info = db.open(Access::Read)?.reader()?.info()?;
    let mut output = Output::new();
    if as_json {
        let tables: Map<String, Value> =
            info.tables.iter().map(|table| (table.name.clone(), json!(table.rows))).collect();
        let simulations: Map<String, Value> =
            info.simulations.iter().map(|(status, count)| (status.name().to_owned(), json!(count))).collect();
        let largest: Vec<Value> = info
            .largest
            .iter()
            .map(|(id, events)| json!({ "simulation_id": id, "events": events }))
            .collect();
        let object = json!({
            "path": info.path.display().to_string(), "size_bytes": info.size, "layout": info.layout,
            "duckdb": info.duckdb, "tables": tables, "simulations": simulations, "events": info.events,
            "largest": largest,
        });
        output.line(&format!("{object:#}"))?;
        return Ok(output.finish()?);
    }
    output.line(&format!("{} ({} bytes)", info.path.display(), grouped(info.size)))?;
    let layout = if info.layout == 0 { "of SimCash".to_owned() } else { info.layout.to_string() };
    output.line(&format!("layout {layout}, DuckDB {}", info.duckdb))?;
    let simulations: Vec<String> =
        info.simulations.iter().map(|(status, count)| format!("{count} {status}")).collect();
    output.line(&format!("simulations: {}", or_none(&simulations)))?;
    output.line(&format!("events: {}", grouped(info.events)))?;
    let largest: Vec<String> =
        info.largest.iter().map(|(id, events)| format!("{id} ({})", grouped(*events))).collect();
    output.line(&format!("largest: {}\n", or_none(&largest)))?;
    let count = |rows: i64| grouped(rows.unsigned_abs());
    let rows: Vec<Vec<String>> =
        info.tables.iter().map(|table| vec![table.name.clone(), count(table.rows)]).collect();
    output.text(&render(&[left("Table"), right("Rows")], &rows))?;
    Ok(output.finish()?)
}

fn or_none(parts: &[String]) -> String {
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

fn print_schema(form: SchemaForm) -> Result<(), CliError> {
    let mut output = Output::new();
    match form {
        SchemaForm::Text => output.text(&schema::text())?,
        SchemaForm::Json => output.line(&format!("{:#}", schema::json()))?,
        SchemaForm::Sql => output.text(&schema::sql())?,
    }
    Ok(output.finish()?)
}

fn sql(query: &str, db: &DbOption, form: RowsForm) -> Result<(), CliError> {
    let mut from_input = String::new();
    let query = if query == "-" {
        std::io::stdin()
            .read_to_string(&mut from_input)
            .map_err(|error| CliError::failed(format!("standard input cannot be read: {error}")))?;
        &from_input
    } else {
        query
    };
    let table = db.open(Access::Read)?.reader()?.sql(query)?;
    let mut output = Output::new();
    output.text(&formed(&table, form)?)?;
    Ok(output.finish()?)
}

fn formed(table: &SqlTable, form: RowsForm) -> Result<String, CliError> {
    let object = |row: &Vec<SqlValue>| {
        let pairs = table.columns.iter().zip(row);
        let members: Vec<String> = pairs
            .map(|(column, value)| format!("{}:{}", crate::text::quoted(column), value.json()))
            .collect();
        format!("{{{}}}", members.join(","))
    };
    Ok(match form {
        RowsForm::Table => text_table(table),
        RowsForm::Csv => csv_text(table)?,
        RowsForm::Json => {
            let objects: Vec<String> = table.rows.iter().map(object).collect();
            format!("[{}]\n", objects.join(",\n "))
        }
        RowsForm::Jsonl => table.rows.iter().map(|row| object(row) + "\n").collect(),
    })
}

/// A table for people; numbers to the right.
fn text_table(table: &SqlTable) -> String {
    let is_number = |at: usize| {
        let mut cells = table.rows.iter().filter_map(|row| row.get(at));
        cells.all(|cell| matches!(cell, SqlValue::Integer(_) | SqlValue::Float(_) | SqlValue::Null))
    };
    let columns: Vec<super::table::Column<'_>> = table
        .columns
        .iter()
        .enumerate()
        .map(|(at, title)| super::table::Column { title, right: is_number(at) })
        .collect();
    let rows: Vec<Vec<String>> =
        table.rows.iter().map(|row| row.iter().map(ToString::to_string).collect()).collect();
    let count = rows.len();
    format!("{}({count} row{})\n", render(&columns, &rows), if count == 1 { "" } else { "s" })
}

fn csv_text(table: &SqlTable) -> Result<String, CliError> {
    let failed = |error: csv::Error| CliError::failed(format!("the rows cannot be written: {error}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&table.columns).map_err(failed)?;
    for row in &table.rows {
        writer.write_record(row.iter().map(ToString::to_string)).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|error| CliError::failed(error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
