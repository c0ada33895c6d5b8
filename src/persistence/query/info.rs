//! What `db info` shows (spec 06, 7.7).

use super::Reader;
use super::types::{DatabaseInfo, TableRows, Totals};
use crate::persistence::log::log_of;
use crate::persistence::{Layout, PersistenceError, Status, schema};

/// Simulations that are named.
const LARGEST: usize = 5;

impl Reader {
    /// How much is recorded, for those who ask often.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn totals(&self) -> Result<Totals, PersistenceError> {
        let counts = "SELECT (SELECT count(*) FROM experiments), (SELECT count(*) FROM simulations), \
                      (SELECT count(*) FROM simulation_events)";
        let read = |row: &duckdb::Row<'_>| {
            Ok(Totals { runs: row.get(0)?, simulations: row.get(1)?, events: row.get(2)? })
        };
        Ok(self.one(counts, [], read)?.unwrap_or_default())
    }

    /// Size, layout and content of the file.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn info(&self) -> Result<DatabaseInfo, PersistenceError> {
        let path = self.database.path().to_owned();
        let size = |path: &std::path::Path| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
        let mut tables = Vec::new();
        for table in schema::TABLES {
            let rows = self.one(&format!("SELECT count(*) FROM {}", table.name), [], |row| row.get(0))?;
            tables.push(TableRows { name: table.name.to_owned(), rows: rows.unwrap_or(0) });
        }
        let by_status: Vec<(String, u64)> =
            self.list("SELECT status, count(*) FROM simulations GROUP BY status", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let count = |status: Status| {
            let of = |(name, _): &&(String, u64)| {
                Status::find(name).map(|stored| self.shown_status(stored)) == Some(status)
            };
            by_status.iter().filter(of).map(|(_, count)| count).sum()
        };
        let totals = tables.iter().find(|table| table.name == "simulation_events");
        Ok(DatabaseInfo {
            size: size(&path) + size(&log_of(&path)),
            layout: match self.database.layout() {
                Layout::Ours(version) => version,
                Layout::Reference => 0,
            },
            duckdb: self.connection.version()?.trim_start_matches('v').to_owned(),
            simulations: Status::ALL.iter().map(|status| (*status, count(*status))).collect(),
            events: totals.map_or(0, |table| table.rows.unsigned_abs()),
            largest: self.list(
                &format!(
                    "SELECT simulation_id, event_count FROM simulations \
                     ORDER BY event_count DESC, simulation_id LIMIT {LARGEST}"
                ),
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?,
            tables,
            path,
        })
    }
}
