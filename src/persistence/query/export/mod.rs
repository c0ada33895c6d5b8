//! Rows for other programs: CSV, JSON lines, Parquet (spec 06, 7.8; 07, 18).

mod kinds;

use std::collections::HashSet;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use duckdb::params_from_iter;
use duckdb::types::Value;

pub use self::kinds::Exported;
use super::Reader;
use super::events::{LINE_COLUMNS, line_columns};
use super::filter::Conditions;
use super::sink::{CsvRows, ExportError, JsonRows, RowSink, pour};
use super::types::EventFilter;
use crate::event::write_columns_line;
use crate::persistence::error::message;
use crate::persistence::schema::{Kind, file_literal};
use crate::persistence::{NewFile, PersistenceError};

/// Numbers of events that are read at once.
const STRETCH: u64 = 65_536;
/// Events that are sorted at once.
const BATCH: u64 = 500_000;

/// Form of exported rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportForm {
    /// Comma-separated values with a head line.
    Csv,
    /// A JSON object a line; of events their event lines, simulation after simulation.
    Jsonl,
    /// A Parquet file.
    Parquet,
}

/// Which rows are exported; everything given holds together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportFilter {
    /// Ids of simulations, of what belongs to runs ids of runs; none: all.
    pub ids: Vec<String>,
    /// A run to which they belong.
    pub run: Option<String>,
    /// The filters of 7.5. Of payments the ticks and the day are those of their arrival.
    pub events: EventFilter,
}

impl ExportForm {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Csv, Self::Jsonl, Self::Parquet];

    /// How names of its files end.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Parquet => "parquet",
        }
    }
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

/// Whether something stands there that takes what is written as it comes: a terminal, a pipe.
fn is_device(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

impl Reader {
    /// Writes rows as text, in order; gives their number.
    ///
    /// # Errors
    ///
    /// An id that does not exist, a filter that the rows know nothing of, a form that needs a file, an
    /// output that does not take them; see [`Reader::simulations`].
    pub fn export_text(
        &self,
        what: Exported,
        filter: &ExportFilter,
        form: ExportForm,
        out: &mut dyn Write,
    ) -> Result<u64, ExportError> {
        self.check_ids(what, filter)?;
        match (what, form) {
            (_, ExportForm::Parquet) => Err(io::Error::other("parquet needs a file").into()),
            (Exported::Events, ExportForm::Jsonl) => self.export_event_lines(filter, out),
            (_, ExportForm::Csv) => self.export_rows(what, filter, &mut CsvRows::new(out)),
            (_, ExportForm::Jsonl) => self.export_rows(what, filter, &mut JsonRows::lines(out)),
        }
    }

    /// Writes rows into a file, which appears when it is complete, or straight into a pipe or a device; gives
    /// their number.
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
        self.check_ids(what, filter)?;
        if is_device(path) && form != ExportForm::Parquet {
            return self.export_into(what, filter, form, fs::OpenOptions::new().write(true).open(path)?);
        }
        let file = NewFile::at(path)?;
        // The system's words for a place that cannot be written, before DuckDB's.
        let created = fs::File::create(file.path())?;
        let number = if form == ExportForm::Parquet {
            drop(created);
            self.export_parquet(what, filter, file.path())?
        } else {
            self.export_into(what, filter, form, created)?
        };
        file.take_place()?;
        Ok(number)
    }

    fn export_into(
        &self,
        what: Exported,
        filter: &ExportFilter,
        form: ExportForm,
        file: fs::File,
    ) -> Result<u64, ExportError> {
        let mut out = io::BufWriter::with_capacity(1 << 16, file);
        let number = self.export_text(what, filter, form, &mut out)?;
        out.flush()?;
        Ok(number)
    }

    /// Whether there is a row.
    ///
    /// # Errors
    ///
    /// As [`Reader::export_text`].
    pub fn has_rows(&self, what: Exported, filter: &ExportFilter) -> Result<bool, PersistenceError> {
        let (rest, values) = what.conditions(filter)?.finish();
        let query = format!("SELECT 1 FROM {} {rest} LIMIT 1", what.source().rows);
        Ok(self.one(&query, params_from_iter(values), |_| Ok(()))?.is_some())
    }

    fn check_ids(&self, what: Exported, filter: &ExportFilter) -> Result<(), PersistenceError> {
        let (runs, simulations): (&[String], &[String]) =
            if what.is_of_runs() { (&filter.ids, &[]) } else { (&[], &filter.ids) };
        let known = self.database.ids();
        let unknown_run = runs.iter().chain(&filter.run).find(|id| !known.runs.contains(*id));
        let unknown_simulation = simulations.iter().find(|id| !known.simulations.contains(*id));
        drop(known);
        match (unknown_run, unknown_simulation) {
            (Some(id), _) => Err(self.database.unknown_run(id)),
            (_, Some(id)) => Err(self.database.unknown_simulation(id)),
            _ => Ok(()),
        }
    }

    fn export_parquet(&self, what: Exported, filter: &ExportFilter, path: &Path) -> Result<u64, ExportError> {
        let (query, values) = match what {
            Exported::Events => self.all_events_in_order(filter)?,
            _ => self.selection(what, what.conditions(filter)?, true),
        };
        let place = path.display().to_string();
        let copy = format!(
            "COPY ({query}) TO {} (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)",
            file_literal(path)?
        );
        let rows = self.connection.execute(&copy, params_from_iter(values)).map_err(|error| {
            let text = message(&error);
            let of_file = text.contains("IO Error") && text.contains(&place);
            if of_file { io::Error::other(text).into() } else { ExportError::from(error) }
        })?;
        Ok(rows as u64)
    }

    /// One statement for all events, that sorts no more than it must: those of one simulation stand in
    /// their order already, only simulations with few events are sorted among each other.
    fn all_events_in_order(&self, filter: &ExportFilter) -> Result<(String, Vec<Value>), PersistenceError> {
        let (mut parts, mut values) = (Vec::new(), Vec::new());
        for ids in self.batches(filter)? {
            let mut conditions = filter.events.conditions()?;
            conditions.any_of("simulation_id", &ids);
            let (part, of_part) = self.selection(Exported::Events, conditions, ids.len() > 1);
            parts.push(format!("FROM ({part})"));
            values.extend(of_part);
        }
        if parts.is_empty() {
            return Ok(self.selection(Exported::Events, Exported::Events.conditions(filter)?, false));
        }
        Ok((parts.join(" UNION ALL "), values))
    }

    /// The simulations whose events are exported, in order; those with many events by themselves.
    fn batches(&self, filter: &ExportFilter) -> Result<Vec<Vec<String>>, PersistenceError> {
        let (mut batches, mut room): (Vec<Vec<String>>, u64) = (Vec::new(), 0);
        for id in self.exported_simulations(filter)? {
            let events = self.stored_events(&id)?;
            match batches.last_mut().filter(|_| events <= room) {
                Some(batch) => batch.push(id),
                None => {
                    batches.push(vec![id]);
                    room = BATCH;
                }
            }
            room = room.saturating_sub(events);
        }
        Ok(batches)
    }

    fn export_rows(
        &self,
        what: Exported,
        filter: &ExportFilter,
        sink: &mut dyn RowSink,
    ) -> Result<u64, ExportError> {
        let columns = what.columns();
        let is_json: Vec<bool> = columns.iter().map(|(_, kind)| *kind == Kind::Json).collect();
        let names: Vec<String> = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
        sink.head(&names)?;
        let number = if what == Exported::Events {
            self.each_stretch(filter, |conditions| {
                let (query, values) = self.selection(what, conditions, true);
                self.stream(&query, params_from_iter(values), |rows, _| pour(rows, &is_json, sink))
            })?
        } else {
            let (query, values) = self.selection(what, what.conditions(filter)?, true);
            self.stream(&query, params_from_iter(values), |rows, _| pour(rows, &is_json, sink))?
        };
        sink.end()?;
        Ok(number)
    }

    fn export_event_lines(&self, filter: &ExportFilter, out: &mut dyn Write) -> Result<u64, ExportError> {
        let mut line = String::new();
        self.each_stretch(filter, |conditions| {
            let (rest, values) = conditions.finish();
            let query = format!("SELECT {LINE_COLUMNS} FROM simulation_events {rest} ORDER BY sequence");
            self.stream(&query, params_from_iter(values), |rows, _| {
                let mut number = 0;
                while let Some(row) = rows.next()? {
                    line.clear();
                    write_columns_line(&line_columns(row)?, &mut line);
                    line.push('\n');
                    out.write_all(line.as_bytes())?;
                    number += 1;
                }
                Ok(number)
            })
        })
    }

    /// Events stretch by stretch, in order, so that their number does not matter.
    fn each_stretch(
        &self,
        filter: &ExportFilter,
        mut visit: impl FnMut(Conditions) -> Result<u64, ExportError>,
    ) -> Result<u64, ExportError> {
        let mut number = 0;
        for id in self.exported_simulations(filter)? {
            for first in (0..self.stored_events(&id)?).step_by(STRETCH as usize) {
                let mut conditions = filter.events.conditions()?;
                conditions.text("simulation_id = ?", Some(&id));
                conditions.count("sequence >= ?", Some(first));
                conditions.count("sequence < ?", Some(first + STRETCH));
                number += visit(conditions)?;
            }
        }
        Ok(number)
    }

    /// The simulations whose events are exported, in order.
    fn exported_simulations(&self, filter: &ExportFilter) -> Result<Vec<String>, PersistenceError> {
        let mut ids = match &filter.run {
            Some(run) => self.simulation_ids_of_run(run)?,
            None => self.simulation_ids()?,
        };
        let named: HashSet<&String> = filter.ids.iter().collect();
        ids.retain(|id| named.is_empty() || named.contains(id));
        Ok(ids)
    }

    /// The statement for all columns of the rows that meet the conditions, and its parameters.
    fn selection(&self, what: Exported, conditions: Conditions, sorted: bool) -> (String, Vec<Value>) {
        let source = what.source();
        let is_ownerless = what == Exported::Simulations && !self.database.is_writable();
        let shown = |name: &'static str| match name {
            // In a file that nobody writes (2.2).
            "status" if is_ownerless => "if(status = 'running', 'interrupted', status) AS status",
            _ => name,
        };
        let names: Vec<&str> = what.columns().iter().map(|(name, _)| shown(name)).collect();
        let (rest, values) = conditions.finish();
        let order = if sorted { format!(" ORDER BY {}", source.order) } else { String::new() };
        (format!("SELECT {} FROM {} {rest}{order}", names.join(", "), source.rows), values)
    }
}
