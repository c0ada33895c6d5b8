//! Taking over another database, of ours or of the reference (spec 06, 8.4).

use std::cell::{OnceCell, RefCell};
use std::path::{Path, PathBuf};

use duckdb::{Connection, params};

use super::copy::{IsUnwanted, while_wanted};
use super::database::check_id;
use super::error::message;
use super::reference::{self, Source};
use super::schema::{self, Column, Table, literal};
use super::writer::identity;
use super::{Database, Layout, PersistenceError, open, recovery};

/// Name under which the other file is attached.
const SOURCE: &str = "imported";

/// What was taken over, or is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Simulations.
    pub simulations: u64,
    /// Runs of experiments.
    pub runs: u64,
    /// Events of the simulations.
    pub events: u64,
    /// What the user should know about the other file, e.g. a damaged log that was set aside.
    pub warnings: Vec<String>,
}

impl Database {
    /// Takes over everything of another file, a transaction per simulation and per run. Ids get a prefix.
    ///
    /// # Errors
    ///
    /// A file that cannot be read or is this one, an id that exists here (nothing is changed then), a
    /// file that was opened for reading or cannot be written. What stopped it on its way, or that it became
    /// unwanted, is told with what was taken over before.
    pub fn import(
        &self,
        file: &Path,
        prefix: &str,
        is_unwanted: IsUnwanted<'_>,
    ) -> Result<Imported, PersistenceError> {
        self.writer()?;
        let file = canonical(file)?;
        if file == self.path() || identity(&file).is_some_and(|id| identity(self.path()) == Some(id)) {
            return Err(PersistenceError::ImportItself(file));
        }
        let (layout, warnings) = open::importable(&file)?;
        let connection = self.connection()?;
        open::attach(&connection, &file, SOURCE)?;
        let reserved = OnceCell::new();
        let done = RefCell::default();
        let import = Import { database: self, connection: &connection, prefix, is_unwanted, reserved, done };
        let done = while_wanted(&connection, is_unwanted, || match layout {
            Layout::Reference => import.reference(),
            Layout::Ours(_) => import.ours(),
        });
        let done = done.map(|()| import.done.borrow().clone()).map_err(|error| import.stopped(error));
        let released = if done.is_err() { import.release() } else { Ok(()) };
        let detached = connection.execute_batch(&format!("DETACH {SOURCE}"));
        let done = done?;
        released?;
        detached?;
        Ok(Imported { warnings, ..done })
    }
}

/// Whether a file can be imported: it is there and holds a layout that this program reads. Gives what the
/// user should know about it, e.g. a damaged log that was set aside.
///
/// # Errors
///
/// What is wrong with it.
pub fn check_importable(file: &Path) -> Result<Vec<String>, PersistenceError> {
    open::importable(file).map(|(_, warnings)| warnings)
}

fn canonical(file: &Path) -> Result<PathBuf, PersistenceError> {
    file.canonicalize().map_err(|_| PersistenceError::Missing(file.to_owned()))
}

struct Import<'a> {
    database: &'a Database,
    connection: &'a Connection,
    prefix: &'a str,
    is_unwanted: IsUnwanted<'a>,
    /// Ids of simulations and of runs that are taken for it.
    reserved: OnceCell<[Vec<String>; 2]>,
    /// What is committed.
    done: RefCell<Imported>,
}

impl Import<'_> {
    fn reference(&self) -> Result<(), PersistenceError> {
        let source = Source::new(self.connection, SOURCE)?;
        let (headers, runs) = (source.headers()?, source.runs()?);
        let ids: Vec<String> = headers.iter().map(|header| header.id.clone()).collect();
        self.reserve(&ids, &runs)?;
        for header in &headers {
            self.simulation(|| reference::store_simulation(&source, header, self.prefix))?;
        }
        runs.iter().try_for_each(|run| self.run(|| reference::store_run(&source, run, self.prefix)))
    }

    fn ours(&self) -> Result<(), PersistenceError> {
        let simulations =
            self.ids("SELECT simulation_id FROM imported.simulations ORDER BY started_at, 1")?;
        let runs = self.ids("SELECT run_id FROM imported.experiments ORDER BY created_at, 1")?;
        self.reserve(&simulations, &runs)?;
        simulations.iter().try_for_each(|id| self.simulation(|| self.copy_simulation(id)))?;
        runs.iter().try_for_each(|run| self.run(|| self.copy_run(run)))?;
        self.whole(|| self.copy_of_the_user())
    }

    /// Takes a simulation over; the work gives the number of its events.
    fn simulation(
        &self,
        work: impl FnOnce() -> Result<u64, PersistenceError>,
    ) -> Result<(), PersistenceError> {
        let events = self.whole(work)?;
        let mut done = self.done.borrow_mut();
        done.simulations += 1;
        done.events += events;
        Ok(())
    }

    fn run(&self, work: impl FnOnce() -> Result<(), PersistenceError>) -> Result<(), PersistenceError> {
        self.whole(work)?;
        self.done.borrow_mut().runs += 1;
        Ok(())
    }

    /// The error, with how far it had come if that is anywhere.
    fn stopped(&self, error: PersistenceError) -> PersistenceError {
        let done = self.done.borrow();
        let Some([simulations, runs]) = self.reserved.get().filter(|_| done.simulations + done.runs > 0)
        else {
            return error;
        };
        PersistenceError::ImportStopped {
            done: [done.simulations, done.runs],
            of: [simulations.len() as u64, runs.len() as u64],
            cause: Box::new(error),
        }
    }

    fn ids(&self, query: &str) -> Result<Vec<String>, PersistenceError> {
        let mut statement = self.connection.prepare(query)?;
        Ok(statement.query_map([], |row| row.get(0))?.collect::<duckdb::Result<_>>()?)
    }

    /// Takes all ids, or none if one of them exists or cannot be used.
    fn reserve(&self, simulations: &[String], runs: &[String]) -> Result<(), PersistenceError> {
        let named =
            |ids: &[String]| -> Vec<String> { ids.iter().map(|id| format!("{}{id}", self.prefix)).collect() };
        let (simulations, runs) = (named(simulations), named(runs));
        for (what, ids) in [("simulation", &simulations), ("run", &runs)] {
            ids.iter().try_for_each(|id| check_id(what, id))?;
        }
        let mut taken = self.database.ids();
        for (what, ids, known) in
            [("simulation", &simulations, &taken.simulations), ("run", &runs, &taken.runs)]
        {
            let mut existing = ids.iter().filter(|id| known.contains(*id));
            if let Some(id) = existing.next() {
                let (id, others) = (id.clone(), existing.count());
                return Err(PersistenceError::ImportExists { what, id, others });
            }
        }
        taken.simulations.extend(simulations.iter().cloned());
        taken.runs.extend(runs.iter().cloned());
        // It is done once.
        let _ = self.reserved.set([simulations, runs]);
        Ok(())
    }

    /// Frees the ids of what did not come.
    fn release(&self) -> Result<(), PersistenceError> {
        let Some([simulations, runs]) = self.reserved.get() else { return Ok(()) };
        let stored = self.ids("SELECT simulation_id FROM simulations")?;
        let stored_runs = self.ids("SELECT run_id FROM experiments")?;
        let lacking = |ids: &[String], stored: &[String]| -> Vec<String> {
            ids.iter().filter(|id| !stored.contains(id)).cloned().collect()
        };
        self.database.forget(&lacking(simulations, &stored), &lacking(runs, &stored_runs));
        Ok(())
    }

    /// Does something in a transaction.
    fn whole<T>(&self, work: impl FnOnce() -> Result<T, PersistenceError>) -> Result<T, PersistenceError> {
        let failed = |error: duckdb::Error| PersistenceError::Write {
            path: self.database.path().to_owned(),
            reason: message(&error),
        };
        if (self.is_unwanted)() {
            return Err(PersistenceError::Cancelled);
        }
        self.connection.execute_batch("BEGIN").map_err(failed)?;
        match work() {
            Ok(done) => {
                self.connection.execute_batch("COMMIT").map_err(failed)?;
                Ok(done)
            }
            Err(error) => {
                // The first error counts; the transaction may be gone already.
                let _ = self.connection.execute_batch("ROLLBACK");
                Err(if (self.is_unwanted)() { PersistenceError::Cancelled } else { error })
            }
        }
    }

    fn copy_simulation(&self, id: &str) -> Result<u64, PersistenceError> {
        self.copy("simulations", "simulation_id", id)?;
        schema::SIMULATION_TABLES.iter().try_for_each(|table| self.copy(table, "simulation_id", id))?;
        // Nobody writes the other file, so what runs there has no owner.
        recovery::interrupt_simulations(self.connection, Some(&format!("{}{id}", self.prefix)))?;
        let count = "SELECT event_count FROM imported.simulations WHERE simulation_id = ?";
        Ok(self.connection.query_row(count, [id], |row| row.get(0))?)
    }

    fn copy_run(&self, id: &str) -> Result<(), PersistenceError> {
        schema::RUN_TABLES.iter().try_for_each(|table| self.copy(table, "run_id", id))?;
        Ok(recovery::interrupt_runs(self.connection, Some(&format!("{}{id}", self.prefix)))?)
    }

    /// Copies the rows of a simulation or run in their order.
    fn copy(&self, name: &str, key: &str, id: &str) -> Result<(), PersistenceError> {
        let Some(table) = schema::table(name) else { return Ok(()) };
        let statement = format!("{} WHERE {key} = ? ORDER BY rowid", self.selection(table));
        self.connection.execute(&statement, params![id])?;
        Ok(())
    }

    /// What the user has written in the explorer; a filter whose name exists stays as it is.
    fn copy_of_the_user(&self) -> Result<(), PersistenceError> {
        for name in ["bookmarks", "notes", "saved_filters"] {
            let Some(table) = schema::table(name) else { continue };
            let statement = self.selection(table);
            self.connection.execute_batch(&format!("{statement} ORDER BY rowid ON CONFLICT DO NOTHING"))?;
        }
        Ok(())
    }

    /// The statement that copies a table, without its condition.
    fn selection(&self, table: &Table) -> String {
        let stored: Vec<&Column> = table
            .columns
            .iter()
            .filter(|column| column.generated.is_none() && column.sequence.is_none())
            .collect();
        let names: Vec<&str> = stored.iter().map(|column| column.name).collect();
        let values: Vec<String> = stored.iter().map(|column| self.renamed(column.name)).collect();
        format!(
            "INSERT INTO {0} ({1}) SELECT {2} FROM {SOURCE}.{0}",
            table.name,
            names.join(", "),
            values.join(", ")
        )
    }

    /// A column as it is, or with the prefix where it names a simulation, a run or something of them.
    fn renamed(&self, column: &str) -> String {
        let prefix = literal(self.prefix);
        match column {
            "simulation_id" | "run_id" | "experiment_run_id" | "checkpoint_id" | "target_id" => {
                format!("{prefix} || {column}")
            }
            "link" => {
                format!("regexp_replace({column}, '^(run|sim)/', '\\1/' || replace({prefix}, '\\', '\\\\'))")
            }
            _ => column.to_owned(),
        }
    }
}
