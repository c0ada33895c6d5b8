//! A connection for queries.

use std::sync::Arc;

use duckdb::{Connection, InterruptHandle, Params, Row};

use super::row::TypedRow;
use crate::persistence::{Database, PersistenceError};

/// Answers queries over a connection of its own.
pub struct Reader {
    pub(in crate::persistence) connection: Connection,
    pub(super) database: Database,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("path", &self.database.path()).finish()
    }
}

/// Ends the query that its reader is working on.
#[derive(Clone)]
pub struct Interrupt(Arc<InterruptHandle>);

impl std::fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Interrupt")
    }
}

impl Interrupt {
    /// Ends the query, if there is one; it answers [`PersistenceError::Cancelled`].
    pub fn cancel(&self) {
        self.0.interrupt();
    }
}

impl Reader {
    pub(in crate::persistence) const fn new(connection: Connection, database: Database) -> Self {
        Self { connection, database }
    }

    /// The file it reads.
    #[must_use]
    pub const fn database(&self) -> &Database {
        &self.database
    }

    /// What cancels this reader's query from another thread.
    #[must_use]
    pub fn interrupt(&self) -> Interrupt {
        Interrupt(self.connection.interrupt_handle())
    }

    /// Rows of a query that selects the columns of the row type.
    pub(in crate::persistence) fn rows<R: TypedRow>(
        &self,
        rest: &str,
        parameters: impl Params,
    ) -> Result<Vec<R>, PersistenceError> {
        self.list(&format!("SELECT {} {rest}", R::COLUMNS), parameters, R::read)
    }

    /// Rows of any query.
    pub(in crate::persistence) fn list<T>(
        &self,
        query: &str,
        parameters: impl Params,
        read: impl FnMut(&Row<'_>) -> duckdb::Result<T>,
    ) -> Result<Vec<T>, PersistenceError> {
        let mut statement = self.connection.prepare_cached(query)?;
        let rows = statement.query_map(parameters, read)?.collect::<duckdb::Result<Vec<T>>>()?;
        Ok(rows)
    }

    /// The first row of any query.
    pub(in crate::persistence) fn one<T>(
        &self,
        query: &str,
        parameters: impl Params,
        read: impl FnMut(&Row<'_>) -> duckdb::Result<T>,
    ) -> Result<Option<T>, PersistenceError> {
        Ok(self.list(query, parameters, read)?.into_iter().next())
    }

    /// The ids of all simulations, in byte order.
    pub(in crate::persistence) fn simulation_ids(&self) -> Result<Vec<String>, PersistenceError> {
        self.list("SELECT simulation_id FROM simulations ORDER BY simulation_id", [], |row| row.get(0))
    }

    /// Those of a run.
    pub(in crate::persistence) fn simulation_ids_of_run(
        &self,
        run: &str,
    ) -> Result<Vec<String>, PersistenceError> {
        let query = "SELECT simulation_id FROM simulations WHERE experiment_run_id = ? ORDER BY 1";
        self.list(query, [run], |row| row.get(0))
    }
}
