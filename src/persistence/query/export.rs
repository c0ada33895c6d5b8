//! Rows for other programs: CSV, JSON lines, Parquet (spec 06, 7.8; 07, 18).

use std::io::{self, Write};
use std::path::Path;

use duckdb::types::Value;
use duckdb::{Row, params_from_iter};

use super::Reader;
use super::events::{LINE_COLUMNS, line_columns};
use super::filter::{Conditions, text};
use super::types::{EventFilter, SqlValue};
use crate::event::write_columns_line;
use crate::persistence::schema::{self, Column, Kind};
use crate::persistence::{NewFile, PersistenceError};
use crate::text::quoted;

/// Numbers of events that are read at once.
const STRETCH: u64 = 65_536;

/// What can be exported: all columns of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exported {
    /// Events of simulations.
    Events,
    /// Payments of simulations.
    Transactions,
    /// Daily metrics of simulations.
    Metrics,
    /// Simulations.
    Simulations,
    /// Iterations of runs.
    Iterations,
    /// Comparisons of runs.
    Evaluations,
}

/// Form of exported rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportForm {
    /// Comma-separated values with a head line.
    Csv,
    /// A JSON object a line; of events their event lines.
    Jsonl,
    /// A Parquet file.
    Parquet,
}

/// Which rows are exported; everything given holds together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportFilter {
    /// Ids of simulations, of iterations and evaluations ids of runs; none: all.
    pub ids: Vec<String>,
    /// The filters of 7.5. Of payments the ticks and the day are those of their arrival.
    pub events: EventFilter,
}

/// Why rows could not be exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The database.
    #[error(transparent)]
    Database(#[from] PersistenceError),
    /// What they were written to.
    #[error(transparent)]
    Output(#[from] io::Error),
}

/// The filter of the command line (7.5) as one for stored events.
impl From<crate::transcript::Filter> for EventFilter {
    fn from(filter: crate::transcript::Filter) -> Self {
        let types = filter.types();
        Self {
            event_type: (!types.is_empty()).then(|| types.join(",")),
            agent_id: filter.bank().map(str::to_owned),
            tx_id: filter.payment().map(str::to_owned),
            tick_min: filter.ticks().map(|ticks| ticks.first.0),
            tick_max: filter.ticks().and_then(|ticks| ticks.last).map(|last| last.0),
            day: filter.day().map(|day| day.0),
            ..Self::default()
        }
    }
}

impl From<duckdb::Error> for ExportError {
    fn from(error: duckdb::Error) -> Self {
        Self::Database(error.into())
    }
}

impl Exported {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::Events,
        Self::Transactions,
        Self::Metrics,
        Self::Simulations,
        Self::Iterations,
        Self::Evaluations,
    ];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Transactions => "transactions",
            Self::Metrics => "metrics",
            Self::Simulations => "simulations",
            Self::Iterations => "iterations",
            Self::Evaluations => "evaluations",
        }
    }

    /// Table, column of the ids, order.
    const fn source(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Events => ("simulation_events", "simulation_id", "simulation_id, sequence"),
            Self::Transactions => ("transactions", "simulation_id", "simulation_id, arrival_tick, tx_id"),
            Self::Metrics => ("daily_agent_metrics", "simulation_id", "simulation_id, day, agent_id"),
            Self::Simulations => ("simulations", "simulation_id", "started_at, simulation_id"),
            Self::Iterations => ("experiment_iterations", "run_id", "run_id, iteration"),
            Self::Evaluations => ("policy_evaluations", "run_id", "run_id, iteration, agent_id"),
        }
    }

    /// Whether its ids are those of runs.
    #[must_use]
    pub const fn is_of_runs(self) -> bool {
        matches!(self, Self::Iterations | Self::Evaluations)
    }

    /// The first part of a filter that its rows know nothing of, in a word.
    #[must_use]
    pub fn cannot_filter(self, filter: &EventFilter) -> Option<&'static str> {
        let EventFilter { tick, tick_min, tick_max, day, agent_id, tx_id, event_type, text, .. } = filter;
        let (bank, payment, ticks, days, others) = match self {
            Self::Events => (true, true, true, true, true),
            Self::Transactions => (true, true, true, true, false),
            Self::Metrics => (true, false, false, true, false),
            Self::Evaluations => (true, false, false, false, false),
            Self::Simulations | Self::Iterations => (false, false, false, false, false),
        };
        [
            ("type of event", !others && event_type.is_some()),
            ("bank", !bank && agent_id.is_some()),
            ("payment", !payment && tx_id.is_some()),
            ("tick", !ticks && (tick.is_some() || tick_min.is_some() || tick_max.is_some())),
            ("day", !days && day.is_some()),
            ("text", !others && text.is_some()),
        ]
        .into_iter()
        .find_map(|(word, given)| given.then_some(word))
    }

    fn columns(self) -> &'static [Column] {
        schema::table(self.source().0).map_or(&[], |table| table.columns)
    }

    fn select_list(self) -> String {
        self.columns().iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
    }

    fn conditions(self, filter: &ExportFilter) -> Result<Conditions, PersistenceError> {
        let EventFilter { tick, tick_min, tick_max, day, agent_id, tx_id, .. } = &filter.events;
        if let Some(word) = self.cannot_filter(&filter.events) {
            return Err(PersistenceError::Filter {
                message: format!("{} cannot be filtered by {word}", self.name()),
                hint: None,
            });
        }
        let mut conditions = match self {
            Self::Events => filter.events.conditions()?,
            _ => Conditions::default(),
        };
        conditions.any_of(self.source().1, &filter.ids);
        match self {
            Self::Transactions => {
                if let Some(bank) = agent_id {
                    conditions.add("(sender_id = ? OR receiver_id = ?)", [text(bank), text(bank)]);
                }
                if let Some(payment) = tx_id {
                    conditions.add("(tx_id = ? OR parent_tx_id = ?)", [text(payment), text(payment)]);
                }
                conditions.count("arrival_tick = ?", *tick);
                conditions.count("arrival_tick >= ?", *tick_min);
                conditions.count("arrival_tick <= ?", *tick_max);
                conditions.count("arrival_day = ?", *day);
            }
            Self::Metrics | Self::Evaluations => {
                conditions.text("agent_id = ?", agent_id.as_deref());
                conditions.count("day = ?", *day);
            }
            Self::Events | Self::Simulations | Self::Iterations => {}
        }
        Ok(conditions)
    }
}

impl Reader {
    /// Writes rows as text, in order; gives their number. A form of a file gives nothing.
    ///
    /// # Errors
    ///
    /// An id that does not exist, a filter that the rows know nothing of, an output that does not take
    /// them; see [`Reader::simulations`].
    pub fn export_text(
        &self,
        what: Exported,
        filter: &ExportFilter,
        form: ExportForm,
        out: &mut dyn Write,
    ) -> Result<u64, ExportError> {
        self.check_ids(what, &filter.ids)?;
        match (what, form) {
            (_, ExportForm::Parquet) => Ok(0),
            (Exported::Events, ExportForm::Jsonl) => self.export_event_lines(filter, out),
            (_, ExportForm::Csv) => {
                let mut csv = csv::Writer::from_writer(out);
                csv.write_record(what.columns().iter().map(|column| column.name)).map_err(io_error)?;
                let number = self.each_exported(what, filter, |row| {
                    let cells = cells(row, what.columns())?;
                    Ok(csv.write_record(cells.iter().map(ToString::to_string)).map_err(io_error)?)
                })?;
                csv.flush()?;
                Ok(number)
            }
            (_, ExportForm::Jsonl) => self.each_exported(what, filter, |row| {
                let cells = cells(row, what.columns())?;
                let member = |(column, cell): (&Column, &SqlValue)| match (column.kind, cell) {
                    (Kind::Json, SqlValue::Text(json)) => format!("{}:{json}", quoted(column.name)),
                    _ => format!("{}:{}", quoted(column.name), cell.json()),
                };
                let members: Vec<String> = what.columns().iter().zip(&cells).map(member).collect();
                Ok(writeln!(out, "{{{}}}", members.join(","))?)
            }),
        }
    }

    /// Writes rows into a file, which appears when it is complete; gives their number.
    ///
    /// # Errors
    ///
    /// As [`Reader::export_text`]; a file that cannot be written.
    pub fn export_file(
        &self,
        what: Exported,
        filter: &ExportFilter,
        form: ExportForm,
        path: &Path,
    ) -> Result<u64, ExportError> {
        let file = NewFile::at(path)?;
        let number = if form == ExportForm::Parquet {
            self.check_ids(what, &filter.ids)?;
            // The system's words for a place that cannot be written, before DuckDB's.
            drop(std::fs::File::create(file.path())?);
            self.export_parquet(what, filter, file.path())?
        } else {
            let mut out = io::BufWriter::with_capacity(1 << 16, std::fs::File::create(file.path())?);
            let number = self.export_text(what, filter, form, &mut out)?;
            out.flush()?;
            number
        };
        file.take_place()?;
        Ok(number)
    }

    /// Whether there is a row.
    ///
    /// # Errors
    ///
    /// As [`Reader::export_text`].
    pub fn has_rows(&self, what: Exported, filter: &ExportFilter) -> Result<bool, PersistenceError> {
        let (rest, values) = what.conditions(filter)?.finish();
        let query = format!("SELECT 1 FROM {} {rest} LIMIT 1", what.source().0);
        Ok(self.one(&query, params_from_iter(values), |_| Ok(()))?.is_some())
    }

    fn export_parquet(&self, what: Exported, filter: &ExportFilter, path: &Path) -> Result<u64, ExportError> {
        let (table, _, order) = what.source();
        let (rest, values) = what.conditions(filter)?.finish();
        // Events of one simulation stand in their order already.
        let sorted = if what == Exported::Events && filter.ids.len() == 1 { "" } else { order };
        let order = if sorted.is_empty() { String::new() } else { format!(" ORDER BY {sorted}") };
        let path = path.display().to_string().replace('\'', "''");
        let copy = format!(
            "COPY (SELECT {} FROM {table} {rest}{order}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)",
            what.select_list()
        );
        Ok(self.connection.execute(&copy, params_from_iter(values))? as u64)
    }

    fn check_ids(&self, what: Exported, ids: &[String]) -> Result<(), PersistenceError> {
        for id in ids {
            let known = if what.is_of_runs() {
                self.run(id)?.is_some()
            } else {
                self.database.ids().simulations.contains(id)
            };
            if !known {
                return Err(if what.is_of_runs() {
                    self.database.unknown_run(id)
                } else {
                    self.database.unknown_simulation(id)
                });
            }
        }
        Ok(())
    }

    /// Shows every row to a visitor; events stretch by stretch, so that their number does not matter.
    fn each_exported(
        &self,
        what: Exported,
        filter: &ExportFilter,
        mut visit: impl FnMut(&Row<'_>) -> Result<(), ExportError>,
    ) -> Result<u64, ExportError> {
        if what == Exported::Events {
            return self.each_stored_event(filter, &what.select_list(), visit);
        }
        let (table, _, order) = what.source();
        let (rest, values) = what.conditions(filter)?.finish();
        let query = format!("SELECT {} FROM {table} {rest} ORDER BY {order}", what.select_list());
        self.visit_rows(&query, values, &mut visit)
    }

    fn each_stored_event(
        &self,
        filter: &ExportFilter,
        columns: &str,
        mut visit: impl FnMut(&Row<'_>) -> Result<(), ExportError>,
    ) -> Result<u64, ExportError> {
        let (mut number, mut ids) = (0, filter.ids.clone());
        if ids.is_empty() {
            ids = self.simulation_ids()?;
        }
        for id in ids {
            let stored = self.stored_events(&id)?;
            for first in (0..stored).step_by(STRETCH as usize) {
                let mut conditions = filter.events.conditions()?;
                conditions.text("simulation_id = ?", Some(&id));
                conditions.count("sequence >= ?", Some(first));
                conditions.count("sequence < ?", Some(first + STRETCH));
                let (rest, values) = conditions.finish();
                let query = format!("SELECT {columns} FROM simulation_events {rest} ORDER BY sequence");
                number += self.visit_rows(&query, values, &mut visit)?;
            }
        }
        Ok(number)
    }

    fn visit_rows(
        &self,
        query: &str,
        values: Vec<Value>,
        visit: &mut impl FnMut(&Row<'_>) -> Result<(), ExportError>,
    ) -> Result<u64, ExportError> {
        let mut statement = self.connection.prepare_cached(query)?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut number = 0;
        while let Some(row) = rows.next()? {
            visit(row)?;
            number += 1;
        }
        Ok(number)
    }

    fn export_event_lines(&self, filter: &ExportFilter, out: &mut dyn Write) -> Result<u64, ExportError> {
        let mut line = String::new();
        self.each_stored_event(filter, LINE_COLUMNS, |row| {
            line.clear();
            write_columns_line(&line_columns(row)?, &mut line);
            line.push('\n');
            Ok(out.write_all(line.as_bytes())?)
        })
    }
}

fn cells(row: &Row<'_>, columns: &[Column]) -> duckdb::Result<Vec<SqlValue>> {
    (0..columns.len()).map(|at| row.get_ref(at).map(|value| value.to_owned().into())).collect()
}

fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
