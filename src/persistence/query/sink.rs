//! Rows as they come: never gathered, whatever their number.

use std::io::{self, Write};
use std::ops::ControlFlow;

use duckdb::{Params, Rows};

use super::Reader;
use super::types::{SqlTable, SqlValue};
use crate::persistence::PersistenceError;
use crate::text::quoted;

/// Why rows did not reach who wanted them.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The database.
    #[error(transparent)]
    Database(#[from] PersistenceError),
    /// What they were written to.
    #[error(transparent)]
    Output(#[from] io::Error),
}

impl From<duckdb::Error> for ExportError {
    fn from(error: duckdb::Error) -> Self {
        Self::Database(error.into())
    }
}

/// Takes rows one after the other.
pub trait RowSink {
    /// The columns, before the first row.
    ///
    /// # Errors
    ///
    /// What the rows are written to does not take them; so with all of it.
    fn head(&mut self, columns: &[String]) -> io::Result<()>;

    /// A row; whether more are wanted.
    ///
    /// # Errors
    ///
    /// See [`RowSink::head`].
    fn row(&mut self, cells: &[SqlValue]) -> io::Result<ControlFlow<()>>;

    /// There are no more.
    ///
    /// # Errors
    ///
    /// See [`RowSink::head`].
    fn end(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Reader {
    /// Runs a statement whose rows are computed while they are read; shows them and their columns.
    pub(super) fn stream<T>(
        &self,
        query: &str,
        parameters: impl Params,
        work: impl FnOnce(&mut Rows<'_>, &[String]) -> Result<T, ExportError>,
    ) -> Result<T, ExportError> {
        let mut statement = self.connection.prepare(query)?;
        // The stream as such gives record batches; its rows come by the same steps.
        drop(statement.stream_arrow(parameters)?);
        work(&mut statement.raw_query(), &statement.column_names())
    }
}

/// Hands rows over until no more are wanted; gives their number. Texts in the columns so marked are JSON.
pub(super) fn pour(
    rows: &mut Rows<'_>,
    is_json: &[bool],
    sink: &mut dyn RowSink,
) -> Result<u64, ExportError> {
    let (mut number, mut cells) = (0, Vec::with_capacity(is_json.len()));
    while let Some(row) = rows.next()? {
        cells.clear();
        for (at, is_json) in is_json.iter().enumerate() {
            cells.push(match SqlValue::from(row.get_ref(at)?.to_owned()) {
                SqlValue::Text(json) if *is_json => SqlValue::Json(json),
                other => other,
            });
        }
        number += 1;
        if sink.row(&cells)?.is_break() {
            break;
        }
    }
    Ok(number)
}

/// At most so many rows, kept.
pub(super) struct Kept {
    pub table: SqlTable,
    pub most: usize,
}

impl RowSink for Kept {
    fn head(&mut self, columns: &[String]) -> io::Result<()> {
        self.table.columns = columns.to_vec();
        Ok(())
    }

    fn row(&mut self, cells: &[SqlValue]) -> io::Result<ControlFlow<()>> {
        if self.table.rows.len() < self.most {
            self.table.rows.push(cells.to_vec());
        }
        Ok(if self.table.rows.len() < self.most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    }
}

/// Comma-separated values with a head line.
pub struct CsvRows<'a>(csv::Writer<&'a mut dyn Write>);

impl<'a> CsvRows<'a> {
    /// Rows that are written to an output.
    pub fn new(out: &'a mut dyn Write) -> Self {
        Self(csv::Writer::from_writer(out))
    }
}

impl RowSink for CsvRows<'_> {
    fn head(&mut self, columns: &[String]) -> io::Result<()> {
        self.0.write_record(columns).map_err(io_error)
    }

    fn row(&mut self, cells: &[SqlValue]) -> io::Result<ControlFlow<()>> {
        for cell in cells {
            let written = match cell {
                SqlValue::Text(text) | SqlValue::Json(text) | SqlValue::Decimal(text) => {
                    self.0.write_field(text)
                }
                other => self.0.write_field(other.to_string()),
            };
            written.map_err(io_error)?;
        }
        self.0.write_record(None::<&[u8]>).map_err(io_error)?;
        Ok(ControlFlow::Continue(()))
    }

    fn end(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// JSON objects, a line each, or as one array.
pub struct JsonRows<'a> {
    out: &'a mut dyn Write,
    /// The names of the columns as JSON.
    names: Vec<String>,
    /// What stands before the first object, before every other one, and behind the last one.
    around: [&'static str; 3],
    line: String,
    rows: u64,
}

impl<'a> JsonRows<'a> {
    /// An object a line.
    pub fn lines(out: &'a mut dyn Write) -> Self {
        Self::around(["", "\n", "\n"], out)
    }

    /// One array.
    pub fn array(out: &'a mut dyn Write) -> Self {
        Self::around(["[", ",\n ", "]\n"], out)
    }

    const fn around(around: [&'static str; 3], out: &'a mut dyn Write) -> Self {
        Self { out, names: Vec::new(), around, line: String::new(), rows: 0 }
    }
}

impl RowSink for JsonRows<'_> {
    fn head(&mut self, columns: &[String]) -> io::Result<()> {
        self.names = columns.iter().map(|column| quoted(column)).collect();
        self.out.write_all(self.around[0].as_bytes())
    }

    fn row(&mut self, cells: &[SqlValue]) -> io::Result<ControlFlow<()>> {
        self.line.clear();
        if self.rows > 0 {
            self.line.push_str(self.around[1]);
        }
        for (at, (name, cell)) in self.names.iter().zip(cells).enumerate() {
            self.line.push(if at == 0 { '{' } else { ',' });
            self.line.push_str(name);
            self.line.push(':');
            self.line.push_str(&cell.json());
        }
        self.line.push('}');
        self.rows += 1;
        self.out.write_all(self.line.as_bytes())?;
        Ok(ControlFlow::Continue(()))
    }

    fn end(&mut self) -> io::Result<()> {
        let nothing = self.rows == 0 && self.around[0].is_empty();
        self.out.write_all(if nothing { "" } else { self.around[2] }.as_bytes())
    }
}
