//! Rows of one table while they wait for their commit, column by column.

use std::sync::Arc;

use duckdb::arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Float64Builder, Int32Builder, Int64Builder, ListBuilder,
    StringBuilder, TimestampMicrosecondArray, TimestampMicrosecondBuilder, UInt64Builder,
};
use duckdb::arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use duckdb::arrow::error::ArrowError;
use duckdb::arrow::record_batch::RecordBatch;
use duckdb::{Appender, Connection};

use crate::persistence::Moment;
use crate::persistence::schema::{Kind, Table};

/// Values of one column.
#[derive(Debug)]
enum Values {
    Text(StringBuilder),
    BigInt(Int64Builder),
    Seed(UInt64Builder),
    Integer(Int32Builder),
    Double(Float64Builder),
    Flag(BooleanBuilder),
    Time(TimestampMicrosecondBuilder),
    Bytes(BinaryBuilder),
    TextList(ListBuilder<StringBuilder>),
}

impl Values {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Text | Kind::Json => Self::Text(StringBuilder::new()),
            Kind::BigInt => Self::BigInt(Int64Builder::new()),
            Kind::Seed => Self::Seed(UInt64Builder::new()),
            Kind::Integer => Self::Integer(Int32Builder::new()),
            Kind::Double => Self::Double(Float64Builder::new()),
            Kind::Flag => Self::Flag(BooleanBuilder::new()),
            Kind::Time => Self::Time(TimestampMicrosecondBuilder::new()),
            Kind::Bytes => Self::Bytes(BinaryBuilder::new()),
            Kind::TextList => Self::TextList(ListBuilder::new(StringBuilder::new())),
        }
    }

    /// `None` for times that nobody gave: they are those of the commit.
    fn finish(&mut self) -> Option<ArrayRef> {
        use duckdb::arrow::array::ArrayBuilder as _;
        let array: ArrayRef = match self {
            Self::Time(values) if values.is_empty() => return None,
            Self::Text(values) => Arc::new(values.finish()),
            Self::BigInt(values) => Arc::new(values.finish()),
            Self::Seed(values) => Arc::new(values.finish()),
            Self::Integer(values) => Arc::new(values.finish()),
            Self::Double(values) => Arc::new(values.finish()),
            Self::Flag(values) => Arc::new(values.finish()),
            Self::Time(values) => Arc::new(values.finish()),
            Self::Bytes(values) => Arc::new(values.finish()),
            Self::TextList(values) => Arc::new(values.finish()),
        };
        Some(array)
    }
}

fn arrow_type(kind: Kind) -> DataType {
    match kind {
        Kind::Text | Kind::Json => DataType::Utf8,
        Kind::BigInt => DataType::Int64,
        Kind::Seed => DataType::UInt64,
        Kind::Integer => DataType::Int32,
        Kind::Double => DataType::Float64,
        Kind::Flag => DataType::Boolean,
        Kind::Time => DataType::Timestamp(TimeUnit::Microsecond, None),
        Kind::Bytes => DataType::Binary,
        Kind::TextList => DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))),
    }
}

/// Rows that are handed over together. An appender cuts what it gets into chunks of this size, and
/// converts all the elements of a list column anew for each of them: so it gets no more than one.
const CHUNK: usize = 2_048;

/// Rows of a table; values are pushed in the order of its stored columns.
#[derive(Debug)]
pub(super) struct Buffer {
    table: &'static Table,
    schema: Arc<Schema>,
    /// Full chunks, without the times of their commit.
    full: Vec<Vec<Option<ArrayRef>>>,
    /// The chunk that is being filled.
    columns: Vec<Values>,
    next: usize,
    rows: usize,
}

impl Buffer {
    pub(super) fn new(table: &'static Table) -> Self {
        let stored = || table.columns.iter().filter(|column| column.generated.is_none());
        let fields: Vec<Field> =
            stored().map(|column| Field::new(column.name, arrow_type(column.kind), true)).collect();
        Self {
            table,
            schema: Arc::new(Schema::new(fields)),
            full: Vec::new(),
            columns: stored().map(|column| Values::new(column.kind)).collect(),
            next: 0,
            rows: 0,
        }
    }

    /// Rows that wait.
    pub(super) const fn len(&self) -> usize {
        self.full.len() * CHUNK + self.rows
    }

    /// Ends the row whose values were pushed.
    pub(super) fn end_row(&mut self) {
        self.next = 0;
        self.rows += 1;
        if self.rows == CHUNK {
            self.rows = 0;
            let chunk = self.finished();
            self.full.push(chunk);
        }
    }

    fn finished(&mut self) -> Vec<Option<ArrayRef>> {
        self.columns.iter_mut().map(Values::finish).collect()
    }

    fn column(&mut self) -> Option<&mut Values> {
        let column = self.columns.get_mut(self.next);
        self.next += 1;
        column
    }

    // A value of the wrong kind leaves its column short, which `take` reports as an error.

    pub(super) fn text(&mut self, value: &str) -> &mut Self {
        if let Some(Values::Text(values)) = self.column() {
            values.append_value(value);
        }
        self
    }

    pub(super) fn maybe_text(&mut self, value: Option<&str>) -> &mut Self {
        if let Some(Values::Text(values)) = self.column() {
            values.append_option(value);
        }
        self
    }

    pub(super) fn int(&mut self, value: i64) -> &mut Self {
        self.maybe_int(Some(value))
    }

    /// A tick, day, count or size; what does not fit is held at the end of the range.
    pub(super) fn count(&mut self, value: u64) -> &mut Self {
        self.int(i64::try_from(value).unwrap_or(i64::MAX))
    }

    pub(super) fn maybe_count(&mut self, value: Option<u64>) -> &mut Self {
        self.maybe_int(value.map(|value| i64::try_from(value).unwrap_or(i64::MAX)))
    }

    pub(super) fn maybe_int(&mut self, value: Option<i64>) -> &mut Self {
        if let Some(Values::BigInt(values)) = self.column() {
            values.append_option(value);
        }
        self
    }

    pub(super) fn seed(&mut self, value: u64) -> &mut Self {
        if let Some(Values::Seed(values)) = self.column() {
            values.append_value(value);
        }
        self
    }

    pub(super) fn maybe_small(&mut self, value: Option<u32>) -> &mut Self {
        if let Some(Values::Integer(values)) = self.column() {
            values.append_option(value.map(|value| i32::try_from(value).unwrap_or(i32::MAX)));
        }
        self
    }

    pub(super) fn maybe_double(&mut self, value: Option<f64>) -> &mut Self {
        if let Some(Values::Double(values)) = self.column() {
            values.append_option(value);
        }
        self
    }

    pub(super) fn flag(&mut self, value: bool) -> &mut Self {
        if let Some(Values::Flag(values)) = self.column() {
            values.append_value(value);
        }
        self
    }

    pub(super) fn maybe_time(&mut self, value: Option<Moment>) -> &mut Self {
        if let Some(Values::Time(values)) = self.column() {
            values.append_option(value.map(|moment| moment.0));
        }
        self
    }

    /// The moment of the commit; a column has it in all rows or in none.
    pub(super) fn commit_time(&mut self) -> &mut Self {
        self.next += 1;
        self
    }

    pub(super) fn bytes(&mut self, value: &[u8]) -> &mut Self {
        if let Some(Values::Bytes(values)) = self.column() {
            values.append_value(value);
        }
        self
    }

    pub(super) fn texts<S: AsRef<str>>(&mut self, value: impl IntoIterator<Item = S>) -> &mut Self {
        if let Some(Values::TextList(values)) = self.column() {
            for text in value {
                values.values().append_value(text);
            }
            values.append(true);
        }
        self
    }

    fn take(&mut self, now: Moment) -> Result<Vec<RecordBatch>, ArrowError> {
        let mut chunks: Vec<_> = self.full.drain(..).map(|columns| (columns, CHUNK)).collect();
        let rows = std::mem::take(&mut self.rows);
        if rows > 0 {
            chunks.push((self.finished(), rows));
        }
        let batch = |(columns, rows): (Vec<Option<ArrayRef>>, usize)| {
            let at_commit = || Arc::new(TimestampMicrosecondArray::from_value(now.0, rows));
            let columns = columns.into_iter().map(|column| column.unwrap_or_else(|| at_commit()));
            RecordBatch::try_new(self.schema.clone(), columns.collect())
        };
        chunks.into_iter().map(batch).collect()
    }

    /// Forgets the rows.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.table);
    }

    /// Hands the rows to the table, in the transaction of the connection.
    pub(super) fn append_to(&mut self, connection: &Connection, now: Moment) -> duckdb::Result<()> {
        if self.len() == 0 {
            return Ok(());
        }
        self.append(connection.appender(self.table.name)?, now)
    }

    /// Hands the rows to a temporary table of the same columns, whose name begins so.
    pub(super) fn append_to_temporary(
        &mut self,
        connection: &Connection,
        prefix: &str,
    ) -> duckdb::Result<()> {
        if self.len() == 0 {
            return Ok(());
        }
        let name = format!("{prefix}{}", self.table.name);
        // Named with its place, a temporary table takes rows in a file that is only read, too.
        let appender = connection.appender_to_catalog_and_db(&name, "temp", "main")?;
        self.append(appender, Moment::default())
    }

    fn append(&mut self, mut appender: Appender<'_>, now: Moment) -> duckdb::Result<()> {
        let failed = |error| duckdb::Error::ToSqlConversionFailure(Box::new(error));
        for batch in self.take(now).map_err(failed)? {
            appender.append_record_batch(batch)?;
        }
        appender.flush()
    }
}
