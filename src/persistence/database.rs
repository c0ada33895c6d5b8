//! The handle on a file: opened once per process, shared by everyone (spec 06, 1.2).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;

use duckdb::Connection;

use super::experiment::ExperimentWrites;
use super::host::Host;
use super::provider::{DuckDbProvider, Ticket};
use super::query::Reader;
use super::writer::{Command, Run, Writer, identity};
use super::{PersistenceError, open, recovery};
use crate::finding::nearest;

/// Whether a file is opened for reading or for reading and writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading only; several processes can at once.
    Read,
    /// Reading and writing; one process at a time.
    Write,
}

/// Whose tables a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Ours, with its version.
    Ours(i32),
    /// The reference's; only read.
    Reference,
}

/// An opened file. Clones share it; the last one closes it.
#[derive(Clone, Debug)]
pub struct Database(Arc<Shared>);

/// What all handles on a file share.
#[derive(Debug)]
pub(super) struct Shared {
    path: PathBuf,
    layout: Layout,
    migrated_from: Option<i32>,
    warnings: Vec<String>,
    /// What a process that died has left unfinished.
    lost: Option<String>,
    root: Mutex<Connection>,
    writer: Option<Writer>,
    host: Mutex<Option<Host>>,
    ids: Arc<Mutex<Ids>>,
    /// Completes what a process that died has left behind.
    recovery: Mutex<Option<JoinHandle<()>>>,
}

/// Ids that are taken, in the file and in the process.
#[derive(Debug, Default)]
pub(super) struct Ids {
    pub simulations: HashSet<String>,
    pub running: HashMap<String, Arc<Run>>,
    pub runs: HashSet<String>,
}

impl Ids {
    /// Whether somebody runs a simulation just now. One that could not be stored has ended, whether its
    /// caller has noticed or not.
    pub(super) fn is_running(&self, simulation_id: &str) -> bool {
        self.running.get(simulation_id).is_some_and(|run| run.failure.get().is_none())
    }
}

/// Files that are open in this process, by canonical path.
static OPEN: Mutex<BTreeMap<PathBuf, Weak<Shared>>> = Mutex::new(BTreeMap::new());
static CLOSED: Condvar = Condvar::new();

/// The name under which a file is open here: it may have several on its disk.
fn open_name(files: &BTreeMap<PathBuf, Weak<Shared>>, path: PathBuf) -> PathBuf {
    let Some(file) = identity(&path) else { return path };
    files.keys().find(|open| identity(open) == Some(file)).cloned().unwrap_or(path)
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What the mutexes here guard is whole at any moment, also if a holder panicked.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Database {
    /// Opens a file, or gives the handle that this process has on it.
    ///
    /// For writing a new file is created, an older one of ours migrated, and simulations
    /// and runs whose process died are marked `interrupted`.
    ///
    /// # Errors
    ///
    /// Everything of spec 06, 1.2: missing, held by another process, newer, foreign, no
    /// database, not writable. The file is untouched then.
    pub fn open(path: impl AsRef<Path>, access: Access) -> Result<Self, PersistenceError> {
        let path = path.as_ref();
        if access == Access::Read && !path.exists() {
            return Err(PersistenceError::Missing(path.to_owned()));
        }
        let path = open::canonical(path)?;
        let mut files = locked(&OPEN);
        let path = open_name(&files, path);
        while let Some(shared) = files.get(&path) {
            if let Some(shared) = shared.upgrade() {
                if access == Access::Write && shared.writer.is_none() {
                    return Err(PersistenceError::OpenForReading(path));
                }
                return Ok(Self(shared));
            }
            // Its last handle is closing it just now.
            files = CLOSED.wait(files).unwrap_or_else(PoisonError::into_inner);
        }
        let shared = Arc::new(Shared::open(path.clone(), access)?);
        files.insert(path, Arc::downgrade(&shared));
        drop(files);
        let database = Self(shared);
        *locked(&database.0.recovery) = recovery::complete_in_background(&database)?;
        Ok(database)
    }

    /// Creates a file with the current layout and nothing in it.
    ///
    /// # Errors
    ///
    /// A file that exists, a folder that does not; see [`Database::open`].
    pub fn create(path: impl AsRef<Path>) -> Result<Self, PersistenceError> {
        let path = path.as_ref();
        if path.exists() {
            return Err(PersistenceError::FileExists(path.to_owned()));
        }
        Self::open(path, Access::Write)
    }

    /// Does something with a file that this process has not opened, and that nobody here opens meanwhile.
    pub(super) fn while_closed<T>(
        path: &Path,
        work: impl FnOnce(&Path) -> Result<T, PersistenceError>,
    ) -> Result<T, PersistenceError> {
        let path = open::canonical(path)?;
        let files = locked(&OPEN);
        if files.contains_key(&open_name(&files, path.clone())) {
            return Err(PersistenceError::OpenHere(path));
        }
        let done = work(&path);
        drop(files);
        done
    }

    /// The file, as its canonical path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Whether it was opened for writing.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.0.writer.is_some()
    }

    /// Whose tables it holds.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.0.layout
    }

    /// The older layout that the file had before it was opened, if it was migrated.
    #[must_use]
    pub fn migrated_from(&self) -> Option<i32> {
        self.0.migrated_from
    }

    /// What the user should know about the opening, e.g. a damaged log that was set aside.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.0.warnings
    }

    /// What a process that died while it wrote has left unfinished, in a sentence, if the opening found
    /// anything of it.
    #[must_use]
    pub fn lost(&self) -> Option<&String> {
        self.0.lost.as_ref()
    }

    /// A connection of its own for queries; for one thread at a time.
    ///
    /// # Errors
    ///
    /// DuckDB gives no connection.
    pub fn reader(&self) -> Result<Reader, PersistenceError> {
        Ok(Reader::new(self.connection()?, self.clone()))
    }

    /// A connection of its own for rows that do not go through the writer.
    pub(super) fn connection(&self) -> Result<Connection, PersistenceError> {
        Ok(locked(&self.0.root).try_clone()?)
    }

    /// What stores simulations in this file.
    ///
    /// # Errors
    ///
    /// The file was opened for reading.
    pub fn provider(&self) -> Result<DuckDbProvider, PersistenceError> {
        self.writer()?;
        Ok(DuckDbProvider::new(self.clone()))
    }

    /// Commits rows of a run together; not before what was handed over earlier.
    ///
    /// # Errors
    ///
    /// A run id that exists or cannot be used, a file opened for reading, a writer that is
    /// gone. Whether the rows are committed says the ticket.
    pub fn commit(&self, writes: ExperimentWrites) -> Result<Ticket, PersistenceError> {
        let writer = self.writer()?;
        if writes.starts() {
            check_id("run", &writes.run_id)?;
            if !self.ids().runs.insert(writes.run_id.clone()) {
                return Err(PersistenceError::Exists { what: "run", id: writes.run_id });
            }
        }
        let removed: Vec<String> = writes.removed().map(str::to_owned).collect();
        let ticket = writer.ask(|reply| Command::Experiment { writes, reply })?;
        self.forget(&removed, &[]);
        Ok(ticket)
    }

    /// Removes simulations and whole runs with everything that belongs to them, and waits
    /// until that is committed: bookmarks and notes too. Their ids are free again.
    ///
    /// # Errors
    ///
    /// A simulation that is running, a file that cannot be written.
    pub fn remove(&self, simulations: &[String], runs: &[String]) -> Result<(), PersistenceError> {
        // What the recovery still has to add belongs to simulations that may be among them.
        if let Some(recovery) = locked(&self.0.recovery).take() {
            let _ = recovery.join();
        }
        let of_runs = runs.iter().map(|run| self.reader()?.simulation_ids_of_run(run));
        let mut all: Vec<String> = of_runs.collect::<Result<Vec<_>, _>>()?.concat();
        all.extend_from_slice(simulations);
        if let Some(id) = all.iter().find(|id| self.ids().is_running(id)) {
            return Err(PersistenceError::OutOfOrder { id: id.clone(), what: "it is running".to_owned() });
        }
        self.writer()?
            .ask(|reply| Command::Remove { simulations: all.clone(), runs: runs.to_vec(), reply })?
            .wait()?;
        self.forget(&all, runs);
        Ok(())
    }

    /// The error for an id that is not there, with the nearest ones.
    #[must_use]
    pub fn unknown_simulation(&self, id: &str) -> PersistenceError {
        self.unknown("simulation", id, self.ids().simulations.iter())
    }

    /// The error for a run that is not there, with the nearest ones.
    #[must_use]
    pub fn unknown_run(&self, id: &str) -> PersistenceError {
        self.unknown("run", id, self.ids().runs.iter())
    }

    fn unknown<'a>(
        &self,
        what: &'static str,
        id: &str,
        known: impl Iterator<Item = &'a String>,
    ) -> PersistenceError {
        let near = nearest(id, known.map(String::as_str)).map(str::to_owned).into_iter().collect();
        PersistenceError::Unknown { path: self.path().to_owned(), what, id: id.to_owned(), near }
    }

    pub(super) fn forget(&self, simulations: &[String], runs: &[String]) {
        let mut ids = self.ids();
        for id in simulations {
            ids.simulations.remove(id);
            ids.running.remove(id);
        }
        for id in runs {
            ids.runs.remove(id);
        }
    }

    pub(super) fn ids(&self) -> MutexGuard<'_, Ids> {
        locked(&self.0.ids)
    }

    pub(super) fn writer(&self) -> Result<&Writer, PersistenceError> {
        self.0.writer.as_ref().ok_or_else(|| PersistenceError::ReadOnly {
            path: self.0.path.clone(),
            reason: "it was opened for reading only".to_owned(),
        })
    }

    /// Whether only the recovery, with a handle and a reader, still holds the file.
    pub(super) fn is_abandoned(&self) -> bool {
        Arc::strong_count(&self.0) <= 2
    }

    pub(super) fn downgrade(&self) -> Weak<Shared> {
        Arc::downgrade(&self.0)
    }

    pub(super) fn upgrade(shared: &Weak<Shared>) -> Option<Self> {
        shared.upgrade().map(Self)
    }
}

impl Shared {
    fn open(path: PathBuf, access: Access) -> Result<Self, PersistenceError> {
        let open::Opened { connection, layout, migrated_from, warnings } = open::open(&path, access)?;
        let (mut writer, mut host, mut lost) = (None, None, None);
        let ids = Arc::new(Mutex::new(Ids {
            simulations: texts(&connection, "SELECT simulation_id FROM simulations")?,
            runs: texts(&connection, "SELECT run_id FROM experiments")?,
            ..Ids::default()
        }));
        if access == Access::Write {
            lost = recovery::mark_interrupted(&connection)?;
            writer = Some(Writer::start(connection.try_clone()?, path.clone(), ids.clone())?);
            host = Host::start(&path, connection.try_clone()?)
                .inspect_err(|error| tracing::warn!(%error, "no other process can ask for a copy"))
                .ok();
        }
        let (root, host) = (Mutex::new(connection), Mutex::new(host));
        let recovery = Mutex::default();
        Ok(Self { path, layout, migrated_from, warnings, lost, root, writer, host, ids, recovery })
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Its connection goes first, and nobody asks any more.
        drop(self.host.get_mut().unwrap_or_else(PoisonError::into_inner).take());
        if let Some(writer) = &self.writer {
            writer.close();
        }
        if let Ok(memory) = Connection::open_in_memory() {
            // The last connection to the file goes before the file is free for others.
            drop(std::mem::replace(self.root.get_mut().unwrap_or_else(PoisonError::into_inner), memory));
        }
        locked(&OPEN).remove(&self.path);
        CLOSED.notify_all();
    }
}

fn texts(connection: &Connection, query: &str) -> duckdb::Result<HashSet<String>> {
    connection.prepare(query)?.query_map([], |row| row.get(0))?.collect()
}

/// Whether an id can be used at all.
///
/// # Errors
/// It is empty or has control characters.
pub fn check_id(what: &'static str, id: &str) -> Result<(), PersistenceError> {
    let reason = if id.trim().is_empty() {
        "is empty"
    } else if id.starts_with('-') {
        "begins with `-`, as options do"
    } else if id.chars().any(char::is_control) {
        "has control characters"
    } else {
        return Ok(());
    };
    Err(PersistenceError::BadId { what, id: id.escape_debug().to_string(), reason })
}
