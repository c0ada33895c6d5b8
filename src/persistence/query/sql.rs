//! Statements of the user, read-only (`db sql`).

use std::fmt;

use duckdb::types::{TimeUnit, Value};

use super::Reader;
use super::types::{SqlTable, SqlValue};
use crate::persistence::{Moment, PersistenceError};
use crate::text::quoted;

/// Words with which a statement that only reads begins.
const READING: &[&str] = &[
    "SELECT",
    "WITH",
    "FROM",
    "VALUES",
    "TABLE",
    "DESCRIBE",
    "SHOW",
    "SUMMARIZE",
    "EXPLAIN",
    "PIVOT",
    "UNPIVOT",
];

impl Reader {
    /// Runs one statement of the user that only reads.
    ///
    /// # Errors
    ///
    /// Several statements, one that writes, or one that DuckDB refuses.
    pub fn sql(&self, query: &str) -> Result<SqlTable, PersistenceError> {
        self.sql_head(query, usize::MAX)
    }

    /// The same, at most so many rows of it.
    ///
    /// # Errors
    ///
    /// See [`Reader::sql`].
    pub fn sql_head(&self, query: &str, most: usize) -> Result<SqlTable, PersistenceError> {
        let query = only_statement(query)?;
        self.connection.execute_batch("BEGIN TRANSACTION READ ONLY")?;
        let table = self.sql_rows(query, most);
        self.connection.execute_batch("ROLLBACK")?;
        table
    }

    fn sql_rows(&self, query: &str, most: usize) -> Result<SqlTable, PersistenceError> {
        let mut statement = self.connection.prepare(query)?;
        let mut rows = statement.query([])?;
        let mut table = SqlTable::default();
        if let Some(statement) = rows.as_ref() {
            table.columns = statement.column_names();
        }
        while table.rows.len() < most
            && let Some(row) = rows.next()?
        {
            let cells =
                (0..table.columns.len()).map(|at| row.get_ref(at).map(|value| value.to_owned().into()));
            table.rows.push(cells.collect::<duckdb::Result<_>>()?);
        }
        Ok(table)
    }
}

/// The statement without what ends it; refused if there is another one or if it does not read.
fn only_statement(query: &str) -> Result<&str, PersistenceError> {
    let refused = |message: &str| PersistenceError::Filter {
        message: message.to_owned(),
        hint: Some(
            "one statement that only reads is run, e.g. `SELECT count(*) FROM simulations`".to_owned(),
        ),
    };
    let end = statement_end(query);
    let (statement, rest) = query.split_at(end);
    if !uncommented(rest.strip_prefix(';').unwrap_or(rest)).is_empty() {
        return Err(refused("there is more than one statement"));
    }
    let start = uncommented(statement).trim_start_matches('(').trim_start();
    let word: String = start.chars().take_while(|letter| letter.is_ascii_alphabetic()).collect();
    if word.is_empty() {
        return Err(refused("there is no statement"));
    }
    if READING.iter().any(|known| known.eq_ignore_ascii_case(&word)) {
        Ok(statement)
    } else {
        Err(refused(&format!("`{}` does not only read", word.to_uppercase())))
    }
}

/// The text behind leading blanks and comments.
fn uncommented(text: &str) -> &str {
    let mut rest = text.trim_start();
    loop {
        let behind = if rest.starts_with("--") {
            rest.split_once('\n').map_or("", |(_, behind)| behind)
        } else if rest.starts_with("/*") {
            rest.split_once("*/").map_or("", |(_, behind)| behind)
        } else {
            return rest;
        };
        rest = behind.trim_start();
    }
}

/// Where the first statement ends: at a semicolon outside of texts, names and comments.
fn statement_end(text: &str) -> usize {
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let skipped = |mark: &str, end: &str| {
            rest.strip_prefix(mark)
                .map(|inner| inner.find(end).map_or(rest.len(), |to| mark.len() + to + end.len()))
        };
        let step = skipped("'", "'")
            .or_else(|| skipped("\"", "\""))
            .or_else(|| skipped("$$", "$$"))
            .or_else(|| skipped("--", "\n"))
            .or_else(|| skipped("/*", "*/"));
        match step {
            Some(step) => at += step,
            None if rest.starts_with(';') => return at,
            None => at += rest.chars().next().map_or(1, char::len_utf8),
        }
    }
    text.len()
}

impl From<Value> for SqlValue {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Boolean(flag) => Self::Flag(flag),
            Value::TinyInt(number) => Self::Integer(number.into()),
            Value::SmallInt(number) => Self::Integer(number.into()),
            Value::Int(number) => Self::Integer(number.into()),
            Value::BigInt(number) => Self::Integer(number.into()),
            Value::HugeInt(number) => Self::Integer(number),
            Value::UTinyInt(number) => Self::Integer(number.into()),
            Value::USmallInt(number) => Self::Integer(number.into()),
            Value::UInt(number) => Self::Integer(number.into()),
            Value::UBigInt(number) => Self::Integer(number.into()),
            Value::Float(number) => Self::Float(number.into()),
            Value::Double(number) => Self::Float(number),
            Value::Text(text) | Value::Enum(text) => Self::Text(text),
            Value::Timestamp(unit, number) => Self::Text(Moment(micros(unit, number)).to_string()),
            Value::Date32(days) => Self::Text(Moment(i64::from(days) * 86_400_000_000).format("%Y-%m-%d")),
            Value::Time64(unit, number) => Self::Text(Moment(micros(unit, number)).format("%H:%M:%S%.6f")),
            Value::Blob(bytes) => Self::Text(crate::event::hex(&bytes)),
            Value::List(items) | Value::Array(items) => {
                let items: Vec<String> = items.into_iter().map(|item| Self::from(item).json()).collect();
                Self::Text(format!("[{}]", items.join(",")))
            }
            Value::Struct(members) => {
                let members: Vec<String> = members
                    .iter()
                    .map(|(key, value)| format!("{}:{}", quoted(key), Self::from(value.clone()).json()))
                    .collect();
                Self::Text(format!("{{{}}}", members.join(",")))
            }
            Value::Decimal(number) => Self::Text(number.to_string()),
            other => Self::Text(format!("{other:?}")),
        }
    }
}

fn micros(unit: TimeUnit, value: i64) -> i64 {
    unit.to_micros(value)
}

impl SqlValue {
    /// The value as JSON.
    #[must_use]
    pub fn json(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Text(text) => quoted(text),
            Self::Float(number) => crate::text::float(*number),
            other => other.to_string(),
        }
    }
}

/// The value as text; nothing for NULL.
impl fmt::Display for SqlValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Flag(flag) => flag.fmt(f),
            Self::Integer(number) => number.fmt(f),
            Self::Float(number) => f.pad(crate::text::float(*number).trim_matches('"')),
            Self::Text(text) => f.pad(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_reading_statement_is_taken() {
        for good in [
            "SELECT 1",
            " -- why\n select ';' ; -- done",
            "(SELECT 1)",
            "FROM simulations;",
            "WITH a AS (SELECT $$;$$) FROM a",
            "/* x */ DESCRIBE simulations",
        ] {
            assert!(only_statement(good).is_ok(), "{good}");
        }
        for bad in
            ["", ";", "SELECT 1; SELECT 2", "COMMIT", "DROP TABLE x", "select 1; drop table x", "-- only"]
        {
            assert!(only_statement(bad).is_err(), "{bad}");
        }
    }
}
