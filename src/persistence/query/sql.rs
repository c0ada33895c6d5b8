//! Statements of the user, read-only (`db sql`).

use std::fmt;

use duckdb::types::{TimeUnit, Value};

use super::Reader;
use super::sink::{ExportError, Kept, RowSink, pour};
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
    /// Hands over the rows of one statement of the user that only reads; gives their number.
    ///
    /// # Errors
    ///
    /// Several statements, one that writes, or one that DuckDB refuses; a sink that does not take them.
    pub fn sql_rows(&self, query: &str, sink: &mut dyn RowSink) -> Result<u64, ExportError> {
        let query = only_statement(query)?;
        self.connection.execute_batch("BEGIN TRANSACTION READ ONLY")?;
        let done = self.stream(query, [], |rows, columns| {
            sink.head(columns)?;
            let number = pour(rows, &vec![false; columns.len()], sink)?;
            sink.end()?;
            Ok(number)
        });
        self.connection.execute_batch("ROLLBACK")?;
        done
    }

    /// All rows of such a statement.
    ///
    /// # Errors
    ///
    /// See [`Reader::sql_rows`].
    pub fn sql(&self, query: &str) -> Result<SqlTable, PersistenceError> {
        self.sql_head(query, usize::MAX)
    }

    /// The first rows of such a statement; no others are computed.
    ///
    /// # Errors
    ///
    /// See [`Reader::sql_rows`].
    pub fn sql_head(&self, query: &str, most: usize) -> Result<SqlTable, PersistenceError> {
        let mut kept = Kept { table: SqlTable::default(), most };
        match self.sql_rows(query, &mut kept) {
            Ok(_) => Ok(kept.table),
            Err(ExportError::Database(error)) => Err(error),
            Err(ExportError::Output(error)) => Err(PersistenceError::Query(error.to_string())),
        }
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
            Value::Blob(bytes) | Value::Geometry(bytes) => Self::Text(crate::event::hex(&bytes)),
            Value::List(items) | Value::Array(items) => {
                let items: Vec<String> = items.into_iter().map(|item| Self::from(item).json()).collect();
                Self::Json(format!("[{}]", items.join(",")))
            }
            Value::Struct(members) => object(members.iter().map(|(key, value)| (key.clone(), value.clone()))),
            Value::Map(members) => object(members.iter().map(|(key, value)| {
                let key = Self::from(key.clone()).to_string();
                (key, value.clone())
            })),
            Value::Decimal(number) => Self::Decimal(number.to_string()),
            Value::UHugeInt(number) => Self::Decimal(number.to_string()),
            Value::Interval { months, days, nanos } => Self::Text(interval(months, days, nanos)),
            Value::Union(inner) => Self::from(*inner),
            // A kind that the library may learn later.
            other => Self::Text(format!("{other:?}")),
        }
    }
}

fn object(members: impl Iterator<Item = (String, Value)>) -> SqlValue {
    let members: Vec<String> =
        members.map(|(key, value)| format!("{}:{}", quoted(&key), SqlValue::from(value).json())).collect();
    SqlValue::Json(format!("{{{}}}", members.join(",")))
}

/// A length of time in ISO form.
fn interval(months: i32, days: i32, nanos: i64) -> String {
    let seconds = (nanos / 1000) as f64 / 1e6;
    format!("P{months}M{days}DT{seconds}S")
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
            Self::Text(text) | Self::Json(text) | Self::Decimal(text) => f.pad(text),
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
