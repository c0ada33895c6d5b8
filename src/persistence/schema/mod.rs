//! The layout of the file: one registry of tables, views and columns, from which the
//! statements that make them, their comments and `db schema` come (spec 06, 1, 2 and 4).

mod experiments;
mod explorer;
mod migrations;
mod print;
mod simulations;
mod views;

#[cfg(test)]
pub(super) use migrations::Migration;
pub(super) use migrations::{VERSIONS, Versions};
pub(super) use print::{file_literal, literal};
pub use print::{json, sql, text};

/// Version of the layout that this program writes.
pub const VERSION: i32 = 100;

/// A table.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// What a row is, in a sentence.
    pub help: &'static str,
    /// Columns of the primary key; empty if it has none.
    pub key: &'static [&'static str],
    /// Its columns in order.
    pub columns: &'static [Column],
}

/// A column of a table or view.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it is never NULL.
    pub required: bool,
    /// The expression from which it is computed when read.
    pub generated: Option<&'static str>,
    /// The sequence that numbers it.
    pub sequence: Option<&'static str>,
    /// The method by which its values are compressed, where DuckDB would choose badly.
    pub compression: Option<&'static str>,
    /// What it says, in a sentence.
    pub help: &'static str,
}

/// A view.
#[derive(Debug)]
pub struct View {
    /// Its name.
    pub name: &'static str,
    /// What a row is, in a sentence.
    pub help: &'static str,
    /// Its columns in order.
    pub columns: &'static [Column],
    /// The query behind it.
    pub query: &'static str,
}

/// Types of columns (1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// VARCHAR.
    Text,
    /// BIGINT; money in cents, ticks, days, counts.
    BigInt,
    /// UBIGINT; seeds.
    Seed,
    /// INTEGER.
    Integer,
    /// DOUBLE.
    Double,
    /// BOOLEAN.
    Flag,
    /// TIMESTAMP, local time in microseconds.
    Time,
    /// JSON.
    Json,
    /// BLOB.
    Bytes,
    /// VARCHAR[].
    TextList,
}

impl Kind {
    /// The name in SQL.
    #[must_use]
    pub const fn sql(self) -> &'static str {
        match self {
            Self::Text => "VARCHAR",
            Self::BigInt => "BIGINT",
            Self::Seed => "UBIGINT",
            Self::Integer => "INTEGER",
            Self::Double => "DOUBLE",
            Self::Flag => "BOOLEAN",
            Self::Time => "TIMESTAMP",
            Self::Json => "JSON",
            Self::Bytes => "BLOB",
            Self::TextList => "VARCHAR[]",
        }
    }
}

/// A column of any kind, NULL allowed.
const fn column(name: &'static str, kind: Kind, help: &'static str) -> Column {
    Column { name, kind, required: false, generated: None, sequence: None, compression: None, help }
}

const fn text_column(name: &'static str, help: &'static str) -> Column {
    column(name, Kind::Text, help)
}

const fn big(name: &'static str, help: &'static str) -> Column {
    column(name, Kind::BigInt, help)
}

const fn double(name: &'static str, help: &'static str) -> Column {
    column(name, Kind::Double, help)
}

impl Column {
    const fn nn(mut self) -> Self {
        self.required = true;
        self
    }

    const fn computed(mut self, expression: &'static str) -> Self {
        self.generated = Some(expression);
        self
    }

    const fn compressed(mut self, method: &'static str) -> Self {
        self.compression = Some(method);
        self
    }

    const fn numbered(mut self, sequence: &'static str) -> Self {
        self.sequence = Some(sequence);
        self
    }
}

/// Every table, in the order in which they are made.
pub const TABLES: &[&Table] = &[
    &simulations::SCHEMA_MIGRATIONS,
    &simulations::SIMULATIONS,
    &simulations::SIMULATION_EVENTS,
    &simulations::TRANSACTIONS,
    &simulations::DAILY_AGENT_METRICS,
    &simulations::POLICY_SNAPSHOTS,
    &simulations::REPLAY_SNAPSHOTS,
    &simulations::SIMULATION_CHECKPOINTS,
    &experiments::EXPERIMENTS,
    &experiments::EXPERIMENT_ITERATIONS,
    &experiments::EXPERIMENT_EVENTS,
    &experiments::POLICY_EVALUATIONS,
    &experiments::SWEEP_POINTS,
    &explorer::BOOKMARKS,
    &explorer::NOTES,
    &explorer::SAVED_FILTERS,
];

/// Every view.
pub const VIEWS: &[&View] = views::ALL;

/// Tables whose rows belong to a simulation and go with it.
pub(super) const SIMULATION_TABLES: &[&str] = &[
    "simulation_events",
    "transactions",
    "daily_agent_metrics",
    "policy_snapshots",
    "replay_snapshots",
    "simulation_checkpoints",
];

/// Tables whose rows belong to a run of an experiment and go with it.
pub(super) const RUN_TABLES: &[&str] =
    &["experiment_events", "policy_evaluations", "sweep_points", "experiment_iterations", "experiments"];

/// The registry row of a table.
#[must_use]
pub fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().copied().find(|table| table.name == name)
}
