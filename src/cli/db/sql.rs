//! `db sql`: a statement of the user.

use std::io::Read as _;

use crate::cli::args::{DbOption, RowsForm};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::persistence::{Access, SqlTable, SqlValue};
use crate::table::{Column, render};

/// Runs one statement that only reads.
pub fn sql(query: &str, db: &DbOption, form: RowsForm) -> Result<(), CliError> {
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
    let columns: Vec<Column<'_>> =
        table.columns.iter().enumerate().map(|(at, title)| Column { title, right: is_number(at) }).collect();
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
