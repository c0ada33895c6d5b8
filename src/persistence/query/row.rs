//! How a row becomes a typed value.

use duckdb::Row;
use duckdb::types::{FromSqlError, Type, Value, ValueRef};

use crate::persistence::{Moment, Purpose, Status};

/// A type that stands in a column.
pub(in crate::persistence) trait Column: Sized {
    /// The value of a column of the row.
    fn get(row: &Row<'_>, at: usize) -> duckdb::Result<Self>;
}

macro_rules! plain_columns {
    ($($type:ty),+ $(,)?) => {$(
        impl Column for $type {
            fn get(row: &Row<'_>, at: usize) -> duckdb::Result<Self> {
                row.get(at)
            }
        }

        impl Column for Option<$type> {
            fn get(row: &Row<'_>, at: usize) -> duckdb::Result<Self> {
                row.get(at)
            }
        }
    )+};
}

plain_columns!(String, i64, u64, i32, u32, f64, bool, Vec<u8>);

fn wrong(at: usize, kind: Type) -> duckdb::Error {
    duckdb::Error::FromSqlConversionFailure(at, kind, Box::new(FromSqlError::InvalidType))
}

impl Column for Option<Moment> {
    fn get(row: &Row<'_>, at: usize) -> duckdb::Result<Self> {
        match row.get_ref(at)? {
            ValueRef::Null => Ok(None),
            ValueRef::Timestamp(unit, value) => Ok(Some(Moment(unit.to_micros(value)))),
            other => Err(wrong(at, other.data_type())),
        }
    }
}

impl Column for Moment {
    fn get(row: &Row<'_>, at: usize) -> duckdb::Result<Self> {
        <Option<Self>>::get(row, at)?.ok_or_else(|| wrong(at, Type::Null))
    }
}

/// Columns that hold one of a few names; an unknown one is an error.
macro_rules! named_columns {
    ($($type:ty),+) => {$(
        impl Column for $type {
            fn get(row: &Row<'_>, at: usize) -> duckdb::Result<Self> {
                let name: String = row.get(at)?;
                <$type>::find(&name).ok_or_else(|| wrong(at, Type::Text))
            }
        }
    )+};
}

named_columns!(Status, Purpose);

impl Column for Vec<String> {
    fn get(row: &Row<'_>, at: usize) -> duckdb::Result<Self> {
        match row.get_ref(at)?.to_owned() {
            Value::List(items) | Value::Array(items) => items
                .into_iter()
                .map(|item| match item {
                    Value::Text(text) => Ok(text),
                    _ => Err(wrong(at, Type::Any)),
                })
                .collect(),
            _ => Err(wrong(at, Type::Any)),
        }
    }
}

/// A row type with its select list.
pub(in crate::persistence) trait TypedRow: Sized {
    /// The columns in order, as SQL.
    const COLUMNS: &'static str;

    /// Reads the columns.
    fn read(row: &Row<'_>) -> duckdb::Result<Self>;
}

/// Declares row types whose fields are named as the columns they hold.
macro_rules! rows {
    ($(
        $(#[$meta:meta])*
        $name:ident { $first:ident: $first_type:ty $(, $field:ident: $type:ty)* $(,)? }
    )+) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs, reason = "the columns are explained in the schema's registry")]
        pub struct $name {
            pub $first: $first_type,
            $(pub $field: $type,)*
        }

        impl $crate::persistence::query::row::TypedRow for $name {
            const COLUMNS: &'static str = concat!(stringify!($first) $(, ", ", stringify!($field))*);

            #[allow(unused_assignments, reason = "the count goes on after the last column")]
            fn read(row: &duckdb::Row<'_>) -> duckdb::Result<Self> {
                use $crate::persistence::query::row::Column;
                let mut at = 0;
                let mut next = || {
                    at += 1;
                    at - 1
                };
                Ok(Self {
                    $first: <$first_type as Column>::get(row, next())?,
                    $($field: <$type as Column>::get(row, next())?,)*
                })
            }
        }
    )+};
}

pub(in crate::persistence) use rows;
