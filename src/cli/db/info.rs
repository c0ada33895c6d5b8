//! `db info`: what the file is and holds.

use serde_json::{Map, Value, json};

use crate::cli::args::DbOption;
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::money::grouped;
use crate::persistence::Access;
use crate::table::{left, render, right};

/// Shows path, size, layout, rows per table and the largest simulations.
pub fn info(db: &DbOption, as_json: bool) -> Result<(), CliError> {
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
