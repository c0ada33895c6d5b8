//! The registry as statements, as text and as JSON.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::{Column, TABLES, Table, VERSION, VIEWS, View};
use crate::persistence::PersistenceError;

/// A text as a literal of SQL.
pub(in crate::persistence) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A file's path as a literal of SQL.
///
/// # Errors
///
/// A path that is no text: DuckDB would look for another file.
pub(in crate::persistence) fn file_literal(path: &Path) -> Result<String, PersistenceError> {
    path.to_str().map(literal).ok_or_else(|| PersistenceError::Unreadable {
        path: path.to_owned(),
        reason: "its name is no text".to_owned(),
    })
}

fn definition(column: &Column) -> String {
    let mut out = format!("    {} {}", column.name, column.kind.sql());
    if let Some(expression) = column.generated {
        let _ = write!(out, " GENERATED ALWAYS AS ({expression}) VIRTUAL");
    }
    if let Some(sequence) = column.sequence {
        let _ = write!(out, " DEFAULT nextval('{sequence}')");
    }
    if let Some(method) = column.compression {
        let _ = write!(out, " USING COMPRESSION {method}");
    }
    if column.required {
        out.push_str(" NOT NULL");
    }
    out
}

fn create_table(table: &Table, out: &mut String) {
    for sequence in table.columns.iter().filter_map(|column| column.sequence) {
        let _ = writeln!(out, "CREATE SEQUENCE {sequence};");
    }
    let mut lines: Vec<String> = table.columns.iter().map(definition).collect();
    if !table.key.is_empty() {
        lines.push(format!("    PRIMARY KEY ({})", table.key.join(", ")));
    }
    let _ = writeln!(out, "CREATE TABLE {} (\n{}\n);", table.name, lines.join(",\n"));
    let _ = writeln!(out, "COMMENT ON TABLE {} IS {};", table.name, literal(table.help));
    comment_columns(table.name, table.columns, out);
}

fn create_view(view: &View, out: &mut String) {
    let columns: Vec<&str> = view.columns.iter().map(|column| column.name).collect();
    // Comments go by the names that the query itself gives, so its columns are named inside.
    let (name, columns, query) = (view.name, columns.join(", "), view.query.trim());
    let _ = writeln!(out, "CREATE VIEW {name} AS SELECT * FROM (\n{query}\n) AS rows ({columns});");
    let _ = writeln!(out, "COMMENT ON VIEW {} IS {};", view.name, literal(view.help));
    comment_columns(view.name, view.columns, out);
}

fn comment_columns(owner: &str, columns: &[Column], out: &mut String) {
    for column in columns {
        let _ = writeln!(out, "COMMENT ON COLUMN {owner}.{} IS {};", column.name, literal(column.help));
    }
}

/// The statements that make the layout in an empty file.
#[must_use]
pub fn sql() -> String {
    let mut out = String::new();
    for table in TABLES {
        create_table(table, &mut out);
    }
    for view in VIEWS {
        create_view(view, &mut out);
    }
    out
}

/// The layout for people.
#[must_use]
pub fn text() -> String {
    let mut out = format!("Layout {VERSION}\n");
    let tables = TABLES.iter().map(|table| ("table", table.name, table.help, table.key, table.columns));
    let views = VIEWS.iter().map(|view| ("view", view.name, view.help, &[] as &[&str], view.columns));
    for (what, name, help, key, columns) in tables.chain(views) {
        let _ = writeln!(out, "\n{what} {name}: {help}");
        if !key.is_empty() {
            let _ = writeln!(out, "  key: {}", key.join(", "));
        }
        let width = columns.iter().map(|column| column.name.len()).max().unwrap_or(0);
        for column in columns {
            let null = if column.required || key.contains(&column.name) { "NOT NULL" } else { "" };
            let _ =
                writeln!(out, "  {:width$}  {:9}  {null:8}  {}", column.name, column.kind.sql(), column.help);
        }
    }
    out
}

fn columns_json(columns: &[Column], key: &[&str]) -> Vec<Value> {
    let entry = |column: &Column| {
        json!({
            "name": column.name,
            "type": column.kind.sql(),
            "nullable": !column.required && !key.contains(&column.name),
            "key": key.contains(&column.name),
            "generated": column.generated,
            "comment": column.help,
        })
    };
    columns.iter().map(entry).collect()
}

/// The layout for programs.
#[must_use]
pub fn json() -> Value {
    let table = |table: &&Table| {
        json!({
            "name": table.name, "comment": table.help, "key": table.key,
            "columns": columns_json(table.columns, table.key),
        })
    };
    let view = |view: &&View| {
        json!({
            "name": view.name, "comment": view.help, "columns": columns_json(view.columns, &[]),
            "query": view.query.trim(),
        })
    };
    json!({
        "version": VERSION,
        "tables": TABLES.iter().map(table).collect::<Vec<_>>(),
        "views": VIEWS.iter().map(view).collect::<Vec<_>>(),
    })
}
