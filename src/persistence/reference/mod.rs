//! Databases of the reference (spec 06, 8): recognised, read, and taken over into our layout.
//!
//! There is one way to read them. A file is attached to a connection whose own tables are ours, and its
//! simulations and runs are written into these: to look at the file, into tables in memory, so that every
//! query, replay and screen works as with a file of our own; by `db import`, into a file.

mod runs;
mod scenario;
mod simulations;
mod source;

pub(super) use runs::store_run;
pub(super) use simulations::store_simulation;
pub(super) use source::Source;

use duckdb::Connection;

use super::PersistenceError;

/// What stands as `engine_version` in rows that were taken over from the reference.
pub(in crate::persistence) const REFERENCE: &str = "reference";

/// Totals that such rows have as the reference stored them; the others are those of the fold.
pub(in crate::persistence) const COUNTED_BY_THE_REFERENCE: &[&str] =
    &["total_arrivals", "total_settlements", "total_cost_cents"];

/// Fills our tables with everything of an attached file; gives what the user should know.
pub(super) fn take_over(connection: &Connection, name: &str) -> Result<Vec<String>, PersistenceError> {
    let source = Source::new(connection, name)?;
    let mut warnings = Vec::new();
    for header in source.headers()? {
        connection.execute_batch("BEGIN")?;
        match store_simulation(&source, &header, "") {
            Ok(_) => connection.execute_batch("COMMIT")?,
            Err(error) => {
                connection.execute_batch("ROLLBACK")?;
                warnings.push(format!("simulation `{}` cannot be shown: {error}", header.id));
            }
        }
    }
    for run in source.runs()? {
        connection.execute_batch("BEGIN")?;
        match store_run(&source, &run, "") {
            Ok(()) => connection.execute_batch("COMMIT")?,
            Err(error) => {
                connection.execute_batch("ROLLBACK")?;
                warnings.push(format!("run `{run}` cannot be shown: {error}"));
            }
        }
    }
    Ok(warnings)
}
