//! Runs of experiments of the reference, table by table.

use duckdb::params;

use super::REFERENCE;
use super::source::Source;
use crate::persistence::PersistenceError;
use crate::persistence::schema::{self, Column, Kind, literal};

/// Writes a run into our tables, in the transaction of the connection.
pub(in crate::persistence) fn store_run(
    source: &Source<'_>,
    run: &str,
    prefix: &str,
) -> Result<(), PersistenceError> {
    let reference = literal(REFERENCE);
    let config = config(source, run)?;
    let scenario = scenario(source, run)?;
    copy(source, "experiments", run, prefix, "run_id", &|column| match column {
        "experiment_type" => Some("'generic'".to_owned()),
        "config" => Some(literal(&config)),
        "status" => Some(if source.has("experiments", "completed_at") {
            "CASE WHEN completed_at IS NULL THEN 'interrupted' ELSE 'completed' END".to_owned()
        } else {
            "'interrupted'".to_owned()
        }),
        "scenario_json" => Some(literal(&scenario)),
        "engine_version" => Some(reference.clone()),
        _ => None,
    })?;
    copy(source, "experiment_iterations", run, prefix, "iteration", &|column| {
        (column == "total_cost").then(|| total_of(source))
    })?;
    // What a `simulation_run` event says stands in the row of its simulation.
    copy(source, "experiment_events", run, prefix, "id", &|_| None)?;
    copy(source, "policy_evaluations", run, prefix, "iteration, agent_id", &|_| None)
}

/// Copies the rows of a run. A column has the given expression, else what the file has; what must not be
/// NULL and is has the empty value of its type.
fn copy(
    source: &Source<'_>,
    name: &str,
    run: &str,
    prefix: &str,
    order: &str,
    given: &dyn Fn(&str) -> Option<String>,
) -> Result<(), PersistenceError> {
    let Some(table) = schema::table(name).filter(|_| source.has(name, "run_id")) else { return Ok(()) };
    let stored =
        table.columns.iter().filter(|column| column.generated.is_none() && column.sequence.is_none());
    let value = |column: &Column| match column.name {
        "run_id" => format!("{} || run_id", literal(prefix)),
        other => given(other).unwrap_or_else(|| {
            let found = source.column(name, other, column.kind);
            if column.required { format!("coalesce({found}, {})", empty(column.kind)) } else { found }
        }),
    };
    let (names, values): (Vec<&str>, Vec<String>) = stored.map(|column| (column.name, value(column))).unzip();
    let only = if name == "experiment_events" { " AND event_type <> 'simulation_run'" } else { "" };
    let statement = format!(
        "INSERT INTO {name} ({}) SELECT {} FROM {} WHERE run_id = ?{only} ORDER BY {order}",
        names.join(", "),
        values.join(", "),
        source.table(name)
    );
    source.connection.execute(&statement, params![run])?;
    Ok(())
}

/// The value of a type that stands for nothing.
const fn empty(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Bytes => "''",
        Kind::BigInt | Kind::Seed | Kind::Integer | Kind::Double => "0",
        Kind::Flag => "false",
        Kind::Time => "make_timestamp(0)",
        Kind::Json => "'{}'",
        Kind::TextList => "[]",
    }
}

/// The sum of the costs of an iteration.
fn total_of(source: &Source<'_>) -> String {
    let costs = source.column("experiment_iterations", "costs_per_agent", Kind::Json);
    format!("coalesce(list_sum([TRY_CAST(cost AS BIGINT) FOR cost IN json_extract({costs}, '$.*')]), 0)")
}

/// The experiment as stored, with the last and the lowest total of its iterations.
fn config(source: &Source<'_>, run: &str) -> Result<String, PersistenceError> {
    let stored = source.column("experiments", "config", Kind::Json);
    let totals = format!(
        "(SELECT json_object('final_cost', max_by(total, iteration), 'best_cost', min(total), \
         'best_iteration', min_by(iteration, total)) FROM (SELECT iteration, {} AS total FROM {} \
         WHERE run_id = ? ORDER BY iteration))",
        total_of(source),
        source.table("experiment_iterations")
    );
    let has_iterations = source.has("experiment_iterations", "run_id");
    let totals = if has_iterations { totals } else { "'{}'::JSON".to_owned() };
    let query = format!(
        "SELECT json_merge_patch(coalesce({stored}, '{{}}')::JSON, {totals})::VARCHAR FROM {} \
         WHERE run_id = ?",
        source.table("experiments")
    );
    let found: Vec<String> = if has_iterations {
        source.list(&query, params![run, run], |row| row.get(0))?
    } else {
        source.list(&query, params![run], |row| row.get(0))?
    };
    Ok(found.into_iter().next().unwrap_or_else(|| "{}".to_owned()))
}

/// The scenario of the run's first simulation, before any policy of the run.
fn scenario(source: &Source<'_>, run: &str) -> Result<String, PersistenceError> {
    if !source.has("simulations", "experiment_run_id") {
        return Ok("{}".to_owned());
    }
    let text = source.column("simulations", "config_json", Kind::Json);
    let query = format!(
        "SELECT {text} FROM {} WHERE experiment_run_id = ? AND {text} IS NOT NULL \
         ORDER BY started_at LIMIT 1",
        source.table("simulations")
    );
    let found: Vec<String> = source.list(&query, params![run], |row| row.get(0))?;
    Ok(found.into_iter().next().unwrap_or_else(|| "{}".to_owned()))
}
