//! Conditions of a query with their parameters.

use std::fmt::Display;

use duckdb::types::Value;

use crate::persistence::Moment;

/// Conditions that hold together.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    parts: Vec<String>,
    values: Vec<Value>,
}

impl Conditions {
    /// A condition with one `?` for each value.
    pub(super) fn add(&mut self, condition: impl Into<String>, values: impl IntoIterator<Item = Value>) {
        self.parts.push(condition.into());
        self.values.extend(values);
    }

    /// A condition on a text, if one is given.
    pub(super) fn text(&mut self, condition: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.add(condition, [text(value)]);
        }
    }

    /// The column holds one of the texts, if any are given.
    pub(super) fn any_of(&mut self, column: &str, values: &[String]) {
        if !values.is_empty() {
            let marks = vec!["?"; values.len()].join(", ");
            self.add(format!("{column} IN ({marks})"), values.iter().map(|value| text(value)));
        }
    }

    /// The simulation belongs to a run, if one is given.
    pub(super) fn of_run(&mut self, run: Option<&str>) {
        let of_run = "simulation_id IN (SELECT simulation_id FROM simulations WHERE experiment_run_id = ?)";
        self.text(of_run, run);
    }

    /// A condition on a number, if one is given.
    pub(super) fn count(&mut self, condition: &str, value: Option<u64>) {
        if let Some(value) = value {
            self.add(condition, [Value::UBigInt(value)]);
        }
    }

    /// The needle occurs in one of the columns, whatever the case.
    pub(super) fn occurs(&mut self, columns: &[&str], needle: Option<&str>) {
        if let Some(needle) = needle {
            let needle = needle.to_lowercase();
            let any: Vec<String> =
                columns.iter().map(|column| format!("contains(lower({column}), ?)")).collect();
            self.add(format!("({})", any.join(" OR ")), columns.iter().map(|_| text(&needle)));
        }
    }

    /// The part of a statement from `WHERE` on, and its parameters.
    pub(super) fn finish(&self) -> (String, Vec<Value>) {
        if self.parts.is_empty() {
            return (String::new(), Vec::new());
        }
        (format!("WHERE {}", self.parts.join(" AND ")), self.values.clone())
    }
}

/// A text as a parameter.
pub(super) fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

/// A moment as a parameter.
pub(super) fn moment(value: Moment) -> Value {
    Value::Timestamp(duckdb::types::TimeUnit::Microsecond, value.0)
}

/// `LIMIT n`, or nothing.
pub(super) fn limit(limit: Option<impl Display>) -> String {
    limit.map(|limit| format!(" LIMIT {limit}")).unwrap_or_default()
}
