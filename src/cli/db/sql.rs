//! `db sql`: a statement of the user.

use std::io::{self, Read as _};
use std::ops::ControlFlow;

use crate::cli::args::{DbOption, RowsForm};
use crate::cli::error::CliError;
use crate::cli::output::Output;
use crate::cli::query::interruptible;
use crate::money::grouped;
use crate::persistence::{Access, CsvRows, JsonRows, RowSink, SqlValue};
use crate::table::{Column, Shape};

/// Rows that say how wide the columns of a table are.
const MEASURED: usize = 1000;
/// Characters that a value has in a table; other forms have them all.
const WIDEST: usize = 200;

/// Runs one statement that only reads.
pub fn sql(query: &str, db: &DbOption, form: RowsForm) -> Result<(), CliError> {
    let mut from_input = String::new();
    let query = if query == "-" {
        io::stdin()
            .read_to_string(&mut from_input)
            .map_err(|error| CliError::failed(format!("standard input cannot be read: {error}")))?;
        &from_input
    } else {
        query
    };
    let reader = db.open(Access::Read)?.reader()?;
    let mut output = Output::new();
    interruptible(&reader, || {
        let out = output.writer();
        match form {
            RowsForm::Table => reader.sql_rows(query, &mut TableRows::new(out)),
            RowsForm::Csv => reader.sql_rows(query, &mut CsvRows::new(out)),
            RowsForm::Json => reader.sql_rows(query, &mut JsonRows::array(out)),
            RowsForm::Jsonl => reader.sql_rows(query, &mut JsonRows::lines(out)),
        }?;
        Ok(output.finish()?)
    })
}

/// The lines of a row: as many as its values have. What is too long for a table is cut.
fn lines(cells: &[SqlValue]) -> Vec<Vec<String>> {
    let texts: Vec<String> = cells.iter().map(ToString::to_string).collect();
    let parts: Vec<Vec<&str>> = texts.iter().map(|text| text.lines().collect()).collect();
    let height = parts.iter().map(Vec::len).max().unwrap_or(0).max(1);
    let line = |at: usize| parts.iter().map(|parts| shown(parts.get(at).unwrap_or(&""))).collect();
    (0..height).map(line).collect()
}

fn shown(text: &str) -> String {
    let clean = |letter: char| if letter.is_control() { ' ' } else { letter };
    match text.char_indices().nth(WIDEST) {
        None => text.chars().map(clean).collect(),
        Some(_) => text.chars().take(WIDEST - 1).map(clean).chain(['…']).collect(),
    }
}

/// A table for people; numbers to the right. The first rows decide about the columns.
struct TableRows<'a> {
    out: &'a mut dyn io::Write,
    titles: Vec<String>,
    /// Whether there are only numbers in the column so far.
    numbers: Vec<bool>,
    waiting: Vec<Vec<String>>,
    shape: Option<Shape>,
    rows: u64,
}

impl<'a> TableRows<'a> {
    const fn new(out: &'a mut dyn io::Write) -> Self {
        Self { out, titles: Vec::new(), numbers: Vec::new(), waiting: Vec::new(), shape: None, rows: 0 }
    }

    /// Decides about the columns and writes what has waited for it.
    fn begin(&mut self) -> io::Result<()> {
        let columns: Vec<Column<'_>> = self
            .titles
            .iter()
            .zip(&self.numbers)
            .map(|(title, number)| Column { title, right: *number })
            .collect();
        let shape = Shape::of(&columns, &self.waiting);
        let lines = self.waiting.drain(..).map(|row| shape.line(&row));
        for line in shape.head(&columns).into_iter().chain(lines) {
            self.out.write_all(line.as_bytes())?;
        }
        self.shape = Some(shape);
        Ok(())
    }
}

impl RowSink for TableRows<'_> {
    fn head(&mut self, columns: &[String]) -> io::Result<()> {
        (self.titles, self.numbers) = (columns.to_vec(), vec![true; columns.len()]);
        Ok(())
    }

    fn row(&mut self, cells: &[SqlValue]) -> io::Result<ControlFlow<()>> {
        self.rows += 1;
        if let Some(shape) = &self.shape {
            for line in lines(cells) {
                self.out.write_all(shape.line(&line).as_bytes())?;
            }
            return Ok(ControlFlow::Continue(()));
        }
        for (number, cell) in self.numbers.iter_mut().zip(cells) {
            *number &= cell.fits_numbers();
        }
        self.waiting.extend(lines(cells));
        if self.waiting.len() >= MEASURED {
            self.begin()?;
        }
        Ok(ControlFlow::Continue(()))
    }

    fn end(&mut self) -> io::Result<()> {
        if self.shape.is_none() {
            self.begin()?;
        }
        writeln!(self.out, "({} row{})", grouped(self.rows), if self.rows == 1 { "" } else { "s" })
    }
}
