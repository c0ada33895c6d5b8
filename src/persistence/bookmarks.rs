//! Places that the user wants to find again (spec 06, 2.9).

use duckdb::params;
use duckdb::types::{TimeUnit, Value};

use super::query::row::rows;
use super::{Database, Moment, PersistenceError, Reader};

/// A place to keep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewBookmark {
    /// What the user calls it.
    pub label: String,
    /// Deep link that reopens the view.
    pub link: String,
    /// Run that it points at.
    pub run: Option<String>,
    /// Simulation that it points at.
    pub simulation: Option<String>,
    /// Tick that it points at.
    pub tick: Option<u64>,
    /// Event that it points at.
    pub sequence: Option<u64>,
}

rows! {
    /// A row of `bookmarks`.
    BookmarkRow {
        bookmark_id: i64, created_at: Moment, label: Option<String>, link: String,
        experiment_run_id: Option<String>, simulation_id: Option<String>, tick: Option<i64>,
        sequence: Option<i64>,
    }
}

impl Database {
    /// Keeps a place. The user's own rows are few and none of the writer's: they have a connection of
    /// their own and are committed at once.
    ///
    /// # Errors
    ///
    /// The file was opened for reading.
    pub fn keep_bookmark(&self, bookmark: &NewBookmark) -> Result<(), PersistenceError> {
        self.writer()?;
        let NewBookmark { label, link, run, simulation, tick, sequence } = bookmark;
        let now = Value::Timestamp(TimeUnit::Microsecond, Moment::now().0);
        self.reader()?.connection.execute(
            "INSERT INTO bookmarks (created_at, label, link, experiment_run_id, simulation_id, tick, \
             sequence) VALUES (?, ?, ?, ?, ?, ?, ?)",
            params![now, label, link, run, simulation, tick, sequence],
        )?;
        Ok(())
    }

    /// Forgets a place.
    ///
    /// # Errors
    ///
    /// The file was opened for reading.
    pub fn forget_bookmark(&self, bookmark_id: i64) -> Result<(), PersistenceError> {
        self.writer()?;
        self.reader()?.connection.execute("DELETE FROM bookmarks WHERE bookmark_id = ?", [bookmark_id])?;
        Ok(())
    }
}

impl Reader {
    /// The places that were kept, newest first.
    ///
    /// # Errors
    ///
    /// See [`Reader::simulations`].
    pub fn bookmarks(&self) -> Result<Vec<BookmarkRow>, PersistenceError> {
        self.rows("FROM bookmarks ORDER BY bookmark_id DESC", [])
    }
}
