//! Statements of the user, read-only (`db sql`).

use std::fmt;

use duckdb::types::{TimeUnit, Value as DuckValue};
use serde::Deserialize;
use serde_json::Value;

use super::Reader;
use super::sink::{ExportError, Kept, RowSink, pour};
use super::types::{SqlTable, SqlValue};
use crate::persistence::{Moment, PersistenceError};
use crate::text::quoted;

impl Reader {
    /// Hands over the rows of one statement of the user that only reads; gives their number.
    ///
    /// # Errors
    ///
    /// Several statements, one that writes, or one that DuckDB refuses; a sink that does not take them.
    pub fn sql_rows(&self, query: &str, sink: &mut dyn RowSink) -> Result<u64, ExportError> {
        self.check_reads(query)?;
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

/// What DuckDB's parser says of statements (`json_serialize_sql`).
#[derive(Debug, Deserialize)]
struct Parsed {
    #[serde(default)]
    error_type: Option<String>,
    #[serde(default)]
    error_message: Option<String>,
    #[serde(default)]
    statements: Vec<Value>,
}

/// Functions that do something, or that run a text.
const DOING: [&str; 12] = [
    "checkpoint",
    "disable_logging",
    "disable_profiling",
    "enable_logging",
    "enable_profile",
    "enable_profiling",
    "force_checkpoint",
    "nextval",
    "query",
    "query_table",
    "truncate_duckdb_logs",
    "write_log",
];

/// A function of a statement, however deep, that does not only read.
fn doing(node: &Value) -> Option<&'static str> {
    match node {
        Value::Array(items) => items.iter().find_map(doing),
        Value::Object(members) => {
            let name = members.get("function_name").and_then(Value::as_str).map(str::to_lowercase);
            let own = name.and_then(|name| DOING.into_iter().find(|doing| *doing == name));
            own.or_else(|| members.values().find_map(doing))
        }
        _ => None,
    }
}

impl Reader {
    /// Whether it is one statement, and one that reads. DuckDB's own parser decides: it serializes nothing
    /// but queries.
    fn check_reads(&self, query: &str) -> Result<(), PersistenceError> {
        let refused = |message: &str| PersistenceError::Filter {
            message: message.to_owned(),
            hint: Some(
                "one statement that only reads is run, e.g. `SELECT count(*) FROM simulations`".to_owned(),
            ),
        };
        let asked = without_explain(query);
        let serialized: Option<String> =
            self.one("SELECT json_serialize_sql(?::VARCHAR)::VARCHAR", [asked], |row| row.get(0))?;
        let parsed: Parsed = serde_json::from_str(&serialized.unwrap_or_default())
            .map_err(|error| PersistenceError::Query(format!("the statement cannot be read: {error}")))?;
        match (parsed.error_type.as_deref(), parsed.statements.len()) {
            (None, 1) => match parsed.statements.iter().find_map(doing) {
                Some(function) => Err(refused(&format!("function `{function}` does not only read"))),
                None => Ok(()),
            },
            (None, 0) => Err(refused("there is no statement")),
            (None, _) => Err(refused("there is more than one statement")),
            (Some("not implemented"), _) => Err(match first_word(asked).to_uppercase().as_str() {
                // It stands in front of what writes, or another statement follows.
                "SELECT" | "WITH" | "FROM" | "VALUES" => refused("the statement does not only read"),
                "PIVOT" => refused("`PIVOT` needs its columns by name, as in `PIVOT t ON a IN (1, 2)`"),
                word => refused(&format!("`{word}` does not only read")),
            }),
            (Some(_), _) => Err(PersistenceError::Query(parsed.error_message.unwrap_or_default())),
        }
    }
}

/// What a statement explains, or the statement itself.
fn without_explain(query: &str) -> &str {
    let Some(rest) = behind_word(query, "EXPLAIN") else { return query };
    let rest = behind_word(rest, "ANALYZE").unwrap_or(rest);
    match uncommented(rest).strip_prefix('(') {
        // Options of EXPLAIN stand in brackets; a statement may, too.
        Some(options)
            if !["SELECT", "WITH", "FROM", "VALUES"].contains(&&*first_word(options).to_uppercase()) =>
        {
            options.split_once(')').map_or(rest, |(_, behind)| behind)
        }
        _ => rest,
    }
}

fn first_word(text: &str) -> &str {
    let text = uncommented(text);
    text.split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default()
}

/// The text behind a word with which it begins.
fn behind_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    first_word(text).eq_ignore_ascii_case(word).then(|| &uncommented(text)[word.len()..])
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

impl From<DuckValue> for SqlValue {
    fn from(value: DuckValue) -> Self {
        match value {
            DuckValue::Null => Self::Null,
            DuckValue::Boolean(flag) => Self::Flag(flag),
            DuckValue::TinyInt(number) => Self::Integer(number.into()),
            DuckValue::SmallInt(number) => Self::Integer(number.into()),
            DuckValue::Int(number) => Self::Integer(number.into()),
            DuckValue::BigInt(number) => Self::Integer(number.into()),
            DuckValue::HugeInt(number) => Self::Integer(number),
            DuckValue::UTinyInt(number) => Self::Integer(number.into()),
            DuckValue::USmallInt(number) => Self::Integer(number.into()),
            DuckValue::UInt(number) => Self::Integer(number.into()),
            DuckValue::UBigInt(number) => Self::Integer(number.into()),
            DuckValue::Float(number) => Self::Float(number.into()),
            DuckValue::Double(number) => Self::Float(number),
            DuckValue::Text(text) | DuckValue::Enum(text) => Self::Text(text),
            DuckValue::Timestamp(unit, number) => Self::Text(Moment(micros(unit, number)).to_string()),
            DuckValue::Date32(days) => {
                Self::Text(Moment(i64::from(days) * 86_400_000_000).format("%Y-%m-%d"))
            }
            DuckValue::Time64(unit, number) => {
                Self::Text(Moment(micros(unit, number)).format("%H:%M:%S%.6f"))
            }
            DuckValue::Blob(bytes) | DuckValue::Geometry(bytes) => Self::Text(crate::event::hex(&bytes)),
            DuckValue::List(items) | DuckValue::Array(items) => {
                let items: Vec<String> = items.into_iter().map(|item| Self::from(item).json()).collect();
                Self::Json(format!("[{}]", items.join(",")))
            }
            DuckValue::Struct(members) => {
                object(members.iter().map(|(key, value)| (key.clone(), value.clone())))
            }
            DuckValue::Map(members) => object(members.iter().map(|(key, value)| {
                let key = Self::from(key.clone()).to_string();
                (key, value.clone())
            })),
            DuckValue::Decimal(number) => Self::Decimal(number.to_string()),
            DuckValue::UHugeInt(number) => Self::Decimal(number.to_string()),
            DuckValue::Interval { months, days, nanos } => Self::Text(interval(months, days, nanos)),
            DuckValue::Union(inner) => Self::from(*inner),
            // A kind that the library may learn later.
            other => Self::Text(format!("{other:?}")),
        }
    }
}

fn object(members: impl Iterator<Item = (String, DuckValue)>) -> SqlValue {
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
    fn what_is_explained_is_looked_at() {
        for (query, asked) in [
            ("SELECT 1", "SELECT 1"),
            ("explain select 1", " select 1"),
            ("/* why */ EXPLAIN ANALYZE copy (select 1) to 'x'", " copy (select 1) to 'x'"),
            ("EXPLAIN (FORMAT json) DELETE FROM a", " DELETE FROM a"),
            ("EXPLAIN (SELECT 1)", " (SELECT 1)"),
            ("explainer", "explainer"),
        ] {
            assert_eq!(without_explain(query), asked, "{query}");
        }
    }
}
