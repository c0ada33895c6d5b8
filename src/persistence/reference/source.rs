//! What an attached file of the reference holds; columns that it lacks are NULL (spec 06, 8.1 to 8.3).

use std::collections::{HashMap, HashSet};

use duckdb::{Connection, Params, Row, params};
use serde_json::Value;

use crate::persistence::query::row::Column;
use crate::persistence::schema::Kind;
use crate::persistence::{Moment, PersistenceError};

/// An attached file of the reference.
pub(in crate::persistence) struct Source<'a> {
    pub connection: &'a Connection,
    name: String,
    columns: HashMap<String, HashSet<String>>,
    contexts: HashMap<String, Context>,
}

/// A row of `simulations` as far as it is there.
#[derive(Clone, Debug, Default)]
pub(in crate::persistence) struct Header {
    pub id: String,
    pub config_file: Option<String>,
    pub config_name: Option<String>,
    pub description: Option<String>,
    pub seed: Option<u64>,
    pub ticks_per_day: Option<u64>,
    pub num_days: Option<u64>,
    pub status: Option<String>,
    pub started_at: Option<Moment>,
    pub ended_at: Option<Moment>,
    pub arrivals: Option<i64>,
    pub settlements: Option<i64>,
    pub cost: Option<i64>,
    pub duration_seconds: Option<f64>,
    pub config_json: Option<String>,
    pub run: Option<String>,
    pub iteration: Option<u32>,
    /// What the experiment says of it.
    pub context: Option<Context>,
}

/// The `simulation_run` event of a simulation.
#[derive(Clone, Debug, Default)]
pub(in crate::persistence) struct Context {
    pub iteration: Option<u32>,
    pub purpose: Option<String>,
    pub seed: Option<u64>,
    pub ticks: Option<u64>,
}

impl<'a> Source<'a> {
    /// The file that is attached under a name.
    pub(in crate::persistence) fn new(
        connection: &'a Connection,
        name: &str,
    ) -> Result<Self, PersistenceError> {
        let mut columns: HashMap<String, HashSet<String>> = HashMap::new();
        let mut statement = connection
            .prepare("SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = ?")?;
        let found = statement.query_map([name], |row| Ok((row.get(0)?, row.get(1)?)))?;
        for pair in found {
            let (table, column): (String, String) = pair?;
            columns.entry(table).or_default().insert(column);
        }
        let mut source = Self { connection, name: name.to_owned(), columns, contexts: HashMap::new() };
        source.contexts = source.contexts()?;
        Ok(source)
    }

    /// Whether it is a run database; else it is one of experiments.
    pub(super) fn holds_runs(&self) -> bool {
        self.has("simulations", "config_hash")
    }

    pub(super) fn has(&self, table: &str, column: &str) -> bool {
        self.columns.get(table).is_some_and(|columns| columns.contains(column))
    }

    /// The table, or one without rows where the file does not have it.
    pub(super) fn table(&self, table: &str) -> String {
        if self.columns.contains_key(table) {
            format!("{}.{table}", self.name)
        } else {
            format!("(SELECT 1 WHERE false) AS {table}")
        }
    }

    /// A column as a value of a type; NULL where it is absent or does not fit.
    pub(super) fn column(&self, table: &str, column: &str, kind: Kind) -> String {
        let source = if self.has(table, column) { column } else { "NULL" };
        match kind {
            Kind::Json => format!("CASE WHEN json_valid({source}::VARCHAR) THEN {source}::VARCHAR END"),
            kind => format!("TRY_CAST({source} AS {})", kind.sql()),
        }
    }

    pub(super) fn list<T>(
        &self,
        query: &str,
        parameters: impl Params,
        read: impl FnMut(&Row<'_>) -> duckdb::Result<T>,
    ) -> Result<Vec<T>, PersistenceError> {
        let mut statement = self.connection.prepare(query)?;
        Ok(statement.query_map(parameters, read)?.collect::<duckdb::Result<_>>()?)
    }

    /// The statement that reads columns of a table, as far as they are there; `rest` stands behind it.
    pub(super) fn select(&self, table: &str, columns: &[(&str, Kind)], rest: &str) -> String {
        let columns: Vec<String> =
            columns.iter().map(|(column, kind)| self.column(table, column, *kind)).collect();
        format!("SELECT {} FROM {} {rest}", columns.join(", "), self.table(table))
    }

    /// Its simulations in the order in which they started.
    pub(in crate::persistence) fn headers(&self) -> Result<Vec<Header>, PersistenceError> {
        let found = self.list(&self.select("simulations", HEADER, "ORDER BY 9, 1"), [], read_header)?;
        let with_context =
            |header: Header| Header { context: self.contexts.get(&header.id).cloned(), ..header };
        Ok(found.into_iter().filter(|header| !header.id.is_empty()).map(with_context).collect())
    }

    /// Ids of its runs of experiments.
    pub(in crate::persistence) fn runs(&self) -> Result<Vec<String>, PersistenceError> {
        if !self.has("experiments", "run_id") {
            return Ok(Vec::new());
        }
        let rest = "WHERE run_id IS NOT NULL ORDER BY 1";
        self.list(&self.select("experiments", &[("run_id", Kind::Text)], rest), [], |row| row.get(0))
    }

    /// The policies of a run in an iteration: bank to document.
    pub(super) fn policies(&self, run: &str, iteration: u32) -> Result<Option<Value>, PersistenceError> {
        if !self.has("experiment_iterations", "policies") {
            return Ok(None);
        }
        let columns = [("policies", Kind::Json)];
        let query = self.select("experiment_iterations", &columns, "WHERE run_id = ? AND iteration = ?");
        let found: Vec<Option<String>> = self.list(&query, params![run, iteration], |row| row.get(0))?;
        Ok(found.into_iter().flatten().next().and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// What the live events of experiments say of simulations. An evaluation names its iteration; the
    /// `simulation_run` event before it, of the same costs, is always in slot 0.
    fn contexts(&self) -> Result<HashMap<String, Context>, PersistenceError> {
        let mut contexts = HashMap::new();
        if !self.has("experiment_events", "event_data") {
            return Ok(contexts);
        }
        let columns = [
            ("run_id", Kind::Text),
            ("iteration", Kind::Integer),
            ("event_type", Kind::Text),
            ("event_data", Kind::Json),
            ("id", Kind::BigInt),
        ];
        let rest = "WHERE event_type IN ('simulation_run', 'evaluation') ORDER BY 5";
        let query = self.select("experiment_events", &columns, rest);
        type Live = (Option<String>, Option<u32>, Option<String>, Option<String>);
        let events: Vec<Live> =
            self.list(&query, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
        let data = |event: &Live| -> Value {
            event.3.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
        };
        for (at, event) in events.iter().enumerate() {
            let told = data(event);
            let Some(id) = told["simulation_id"].as_str() else { continue };
            let next = events.get(at + 1).filter(|next| next.0 == event.0);
            let evaluation = next.filter(|next| {
                let next_told = data(next);
                next.2.as_deref() == Some("evaluation")
                    && next_told["total_cost"] == told["total_cost"]
                    && next_told["per_agent_costs"] == told["per_agent_costs"]
            });
            let context = Context {
                iteration: evaluation.map_or(event.1, |next| next.1),
                purpose: told["purpose"].as_str().map(str::to_owned),
                seed: told["seed"].as_u64(),
                ticks: told["ticks"].as_u64(),
            };
            contexts.insert(id.to_owned(), context);
        }
        Ok(contexts)
    }
}

/// The columns of a header, in the order in which they are read.
const HEADER: &[(&str, Kind)] = &[
    ("simulation_id", Kind::Text),
    ("config_file", Kind::Text),
    ("config_name", Kind::Text),
    ("description", Kind::Text),
    ("rng_seed", Kind::Seed),
    ("ticks_per_day", Kind::Seed),
    ("num_days", Kind::Seed),
    ("status", Kind::Text),
    ("started_at", Kind::Time),
    ("completed_at", Kind::Time),
    ("ended_at", Kind::Time),
    ("total_arrivals", Kind::BigInt),
    ("total_settlements", Kind::BigInt),
    ("total_cost_cents", Kind::BigInt),
    ("duration_seconds", Kind::Double),
    ("config_json", Kind::Text),
    ("experiment_run_id", Kind::Text),
    ("experiment_iteration", Kind::Integer),
];

fn read_header(row: &Row<'_>) -> duckdb::Result<Header> {
    let moment = |at: usize| <Option<Moment> as Column>::get(row, at);
    let (completed_at, ended_at) = (moment(9)?, moment(10)?);
    Ok(Header {
        id: row.get::<_, Option<String>>(0)?.unwrap_or_default(),
        config_file: row.get(1)?,
        config_name: row.get(2)?,
        description: row.get(3)?,
        seed: row.get(4)?,
        ticks_per_day: row.get(5)?,
        num_days: row.get(6)?,
        status: row.get(7)?,
        started_at: moment(8)?,
        ended_at: completed_at.or(ended_at),
        arrivals: row.get(11)?,
        settlements: row.get(12)?,
        cost: row.get(13)?,
        duration_seconds: row.get(14)?,
        config_json: row.get(15)?,
        run: row.get(16)?,
        iteration: row.get(17)?,
        context: None,
    })
}
