//! Rows that the events of simulations give, held against those that are stored.
//!
//! They are made by the code that the writer uses, kept in temporary tables and compared by DuckDB, for
//! many simulations at once.

use duckdb::Connection;

use super::Defect;
use crate::ids::Names;
use crate::metrics::{Ledger, TickOutcome};
use crate::money::counted;
use crate::persistence::PersistenceError;
use crate::persistence::schema::{self, Table};
use crate::persistence::writer::{Buffers, push_closed, push_open};

/// Rows that wait in memory.
const ROWS: usize = 50_000;
/// Simulations that are compared at once.
const SIMULATIONS: usize = 500;
/// Rows that are compared at once, unless they are those of one simulation.
const COMPARED: usize = 500_000;

/// Tables whose rows follow from the events, and the columns that name a row of a simulation.
const DERIVED: &[(&str, &str)] = &[("transactions", "tx_id"), ("daily_agent_metrics", "agent_id, day")];

/// What the events of the simulations give that are not yet compared.
pub(super) struct Expected<'a> {
    connection: &'a Connection,
    buffers: Buffers,
    simulations: usize,
    rows: usize,
}

impl<'a> Expected<'a> {
    /// Nothing yet.
    pub(super) fn new(connection: &'a Connection) -> Result<Self, PersistenceError> {
        connection
            .execute_batch("CREATE OR REPLACE TEMP TABLE expected_simulations (simulation_id VARCHAR)")?;
        for (name, columns) in derived() {
            connection.execute_batch(&format!(
                "CREATE OR REPLACE TEMP TABLE expected_{name} AS SELECT {columns} FROM {name} LIMIT 0"
            ))?;
        }
        Ok(Self { connection, buffers: Buffers::new()?, simulations: 0, rows: 0 })
    }

    /// Takes what a tick gives.
    pub(super) fn push_tick(
        &mut self,
        id: &str,
        outcome: &TickOutcome,
        names: &Names,
    ) -> Result<(), PersistenceError> {
        push_closed(id, outcome, names, &mut self.buffers);
        if self.buffers.rows() >= ROWS { self.flush() } else { Ok(()) }
    }

    /// Takes the end of a simulation; with what is open, if that is stored too.
    pub(super) fn end(&mut self, id: &str, open: Option<&Ledger>) -> Result<(), PersistenceError> {
        if let Some(ledger) = open {
            push_open(id, ledger, &mut self.buffers);
        }
        self.connection.execute("INSERT INTO expected_simulations VALUES (?)", [id])?;
        self.simulations += 1;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), PersistenceError> {
        self.rows += self.buffers.rows();
        Ok(self.buffers.append_derived(self.connection, "expected_")?)
    }

    /// Compares if much has gathered.
    pub(super) fn compare_if_many(&mut self, found: &mut dyn FnMut(Defect)) -> Result<(), PersistenceError> {
        let many = self.simulations >= SIMULATIONS || self.rows >= COMPARED;
        if many { self.compare(found) } else { Ok(()) }
    }

    /// Compares everything that has gathered.
    pub(super) fn compare(&mut self, found: &mut dyn FnMut(Defect)) -> Result<(), PersistenceError> {
        self.flush()?;
        for ((name, key), (_, columns)) in DERIVED.iter().zip(derived()) {
            let of_these = "simulation_id IN (SELECT simulation_id FROM expected_simulations)";
            let surplus = format!(
                "SELECT simulation_id, count(*), min(concat_ws(', ', {key})) FROM (\
                 SELECT {columns} FROM {name} WHERE {of_these} \
                 EXCEPT ALL SELECT {columns} FROM expected_{name} WHERE {of_these}) GROUP BY 1 ORDER BY 1"
            );
            let missing = format!(
                "SELECT simulation_id, count(*), min(concat_ws(', ', {key})) FROM expected_{name} \
                 ANTI JOIN {name} USING (simulation_id, {key}) WHERE {of_these} GROUP BY 1 ORDER BY 1"
            );
            for (query, what) in [(surplus, "not as the events say"), (missing, "missing")] {
                let mut statement = self.connection.prepare(&query)?;
                let rows = statement.query_map([], |row| {
                    Ok((row.get::<_, String>(0)?, row.get::<_, u64>(1)?, row.get::<_, String>(2)?))
                })?;
                for row in rows {
                    let (id, number, first) = row?;
                    let message = format!("{} {what}; first {first}", counted(number, "row"));
                    found(Defect::new(name, Some(&id), message));
                }
            }
            self.connection.execute_batch(&format!("DELETE FROM expected_{name}"))?;
        }
        self.connection.execute_batch("DELETE FROM expected_simulations")?;
        (self.simulations, self.rows) = (0, 0);
        Ok(())
    }
}

/// The derived tables with their stored columns.
fn derived() -> impl Iterator<Item = (&'static str, String)> {
    let columns = |table: &Table| {
        let stored = table.columns.iter().filter(|column| column.generated.is_none());
        stored.map(|column| column.name).collect::<Vec<_>>().join(", ")
    };
    DERIVED.iter().filter_map(move |(name, _)| Some((*name, columns(schema::table(name)?))))
}
