//! Whole copies of a file: without the space of deleted rows, or beside one that is being written
//! (spec 06, 7.7).

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use duckdb::Connection;

use super::error::message;
use super::host::Asked;
use super::log::log_of;
use super::{Access, Database, Layout, NewFile, PersistenceError, host, open, schema};

/// Number of the next copy in this process; part of the name that DuckDB knows it by.
static COPIES: AtomicU64 = AtomicU64::new(0);

/// How often whoever holds a file is asked, and how long is waited in between.
const TRIES: u32 = 10;
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// How often whoever waits for a copy is asked whether it is still wanted.
pub(super) const LOOK: Duration = Duration::from_millis(50);

/// Whether somebody no longer wants what is being made.
pub type IsUnwanted<'a> = &'a (dyn Fn() -> bool + Sync);

/// What a rewriting did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compacted {
    /// Bytes before, the write-ahead log included.
    pub before: u64,
    /// Bytes after.
    pub after: u64,
    /// What the user should know, e.g. a damaged log that was set aside.
    pub warnings: Vec<String>,
}

/// Rewrites a file without the space of deleted rows and puts it in place of the old one when it is
/// complete. On any failure the old one stays as it was.
///
/// # Errors
///
/// A file that is missing, not ours, held or not writable; no space for the second file;
/// [`PersistenceError::Cancelled`] if it became unwanted.
pub fn compact(path: &Path, is_unwanted: IsUnwanted<'_>) -> Result<Compacted, PersistenceError> {
    if !path.exists() {
        return Err(PersistenceError::Missing(path.to_owned()));
    }
    Database::while_closed(path, |path| {
        let failed = |reason: String| PersistenceError::Write { path: path.to_owned(), reason };
        let names = fs::metadata(path).map_or(1, |metadata| metadata.nlink());
        if names > 1 {
            return Err(failed(format!(
                "it has {names} names (hard links), and only one would be rewritten"
            )));
        }
        let before = size(path) + size(&log_of(path));
        // Held until the end: nobody writes to the old file once the copy has begun.
        let opened = open::open(path, Access::Write)?;
        let old = &opened.connection;
        old.execute_batch("CHECKPOINT").map_err(|error| failed(message(&error)))?;
        let file = NewFile::replacing(path).map_err(|error| failed(error.to_string()))?;
        copy(old, file.path(), is_unwanted).map_err(|error| not_copied(error, failed))?;
        settle(file, path).map_err(|error| failed(error.to_string()))?;
        Ok(Compacted { before, after: size(path), warnings: opened.warnings })
    })
}

/// Writes a consistent copy of a file. If another payment-sim holds it for writing, that one is asked. Gives
/// what the user should know, e.g. a damaged log that was set aside.
///
/// # Errors
///
/// A file that is missing, not ours, or held by a process that cannot be asked; a copy that exists
/// already or cannot be written; [`PersistenceError::Cancelled`] if it became unwanted.
pub fn snapshot(
    path: &Path,
    out: &Path,
    is_unwanted: IsUnwanted<'_>,
) -> Result<Vec<String>, PersistenceError> {
    if !path.exists() {
        return Err(PersistenceError::Missing(path.to_owned()));
    }
    let failed = |reason: String| PersistenceError::Snapshot { path: path.to_owned(), reason };
    let out = std::path::absolute(out).map_err(|error| failed(error.to_string()))?;
    let mut tries = 0;
    loop {
        match copy_closed(path, &out, is_unwanted) {
            Err(PersistenceError::Locked { holder, .. }) => {
                match host::ask_for_copy(&open::canonical(path)?, &out, is_unwanted)? {
                    Asked::Done => return Ok(Vec::new()),
                    Asked::Silent => {
                        return Err(failed(format!("{holder} holds it and does not answer; is it stopped?")));
                    }
                    // Whoever holds it may be about to listen, or about to end.
                    Asked::Nobody => tries += 1,
                }
                if tries == TRIES {
                    return Err(failed(format!("{holder} holds it and gives no copies")));
                }
                thread::sleep(BETWEEN_TRIES);
            }
            done => return done,
        }
    }
}

/// Copies a file that no other process writes.
fn copy_closed(
    path: &Path,
    out: &Path,
    is_unwanted: IsUnwanted<'_>,
) -> Result<Vec<String>, PersistenceError> {
    Database::while_closed(path, |path| {
        // Whatever is wrong with the file is found and told as ever.
        let opened = open::open(path, Access::Read)?;
        if opened.layout == Layout::Reference {
            return Err(PersistenceError::Reference(path.to_owned()));
        }
        let warnings = opened.warnings;
        drop(opened.connection);
        // A file that is opened for reading only lets no other one be written beside it.
        let memory = Connection::open_in_memory()?;
        memory.execute_batch(&format!(
            "SET max_memory = '{}'; ATTACH {} AS source (READ_ONLY); USE source",
            open::MAX_MEMORY,
            schema::file_literal(path)?
        ))?;
        write_copy(&memory, path, out, is_unwanted)?;
        Ok(warnings)
    })
}

/// Writes a copy, which appears when it is complete and somebody still wants it. Only those may read it
/// who may read the file.
pub(super) fn write_copy(
    connection: &Connection,
    path: &Path,
    out: &Path,
    is_unwanted: IsUnwanted<'_>,
) -> Result<(), PersistenceError> {
    let failed = |reason: String| PersistenceError::Snapshot { path: path.to_owned(), reason };
    // A link that leads nowhere counts too.
    for taken in [out, &log_of(out)] {
        if fs::symlink_metadata(taken).is_ok() {
            return Err(PersistenceError::FileExists(taken.to_owned()));
        }
    }
    let folder = out.parent().unwrap_or(out);
    if !folder.is_dir() {
        return Err(failed(format!("folder `{}` does not exist", folder.display())));
    }
    let file = NewFile::at(out).map_err(|error| failed(error.to_string()))?;
    copy(connection, file.path(), is_unwanted).map_err(|error| not_copied(error, failed))?;
    if is_unwanted() {
        return Err(PersistenceError::Cancelled);
    }
    settle(file, path).map_err(|error| failed(error.to_string()))
}

/// Puts a complete copy in its place, with the permissions of the original.
fn settle(file: NewFile, original: &Path) -> std::io::Result<()> {
    fs::set_permissions(file.path(), fs::metadata(original)?.permissions())?;
    file.take_place()
}

/// What came of a copy that is not complete.
fn not_copied(error: PersistenceError, failed: impl FnOnce(String) -> PersistenceError) -> PersistenceError {
    if error == PersistenceError::Cancelled { error } else { failed(error.to_string()) }
}

/// Copies everything that a connection's database holds, as it is at this moment, into a new file.
fn copy(connection: &Connection, out: &Path, is_unwanted: IsUnwanted<'_>) -> Result<(), PersistenceError> {
    let name = format!("payment_sim_copy_{}", COPIES.fetch_add(1, Ordering::Relaxed));
    let source: String = connection.query_row("SELECT current_database()", [], |row| row.get(0))?;
    let source = source.replace('"', "\"\"");
    connection.execute_batch(&format!(
        "ATTACH {} AS {name} (BLOCK_SIZE {}, STORAGE_VERSION '{}')",
        schema::file_literal(out)?,
        open::BLOCK_SIZE,
        open::STORAGE_VERSION
    ))?;
    let statement = format!("COPY FROM DATABASE \"{source}\" TO {name}; CHECKPOINT {name}");
    let copied = while_wanted(connection, is_unwanted, || connection.execute_batch(&statement));
    let detached = connection.execute_batch(&format!("DETACH {name}"));
    Ok(copied.and(detached)?)
}

/// Does something with a connection, and ends its statements once it is unwanted.
pub(super) fn while_wanted<T>(
    connection: &Connection,
    is_unwanted: IsUnwanted<'_>,
    work: impl FnOnce() -> T,
) -> T {
    let (statement, is_done) = (connection.interrupt_handle(), AtomicBool::new(false));
    thread::scope(|scope| {
        let watching = scope.spawn(|| {
            while !is_done.load(Ordering::Acquire) {
                // Between two statements nobody hears it, so it is said again.
                if is_unwanted() {
                    statement.interrupt();
                }
                thread::park_timeout(LOOK);
            }
        });
        let done = work();
        is_done.store(true, Ordering::Release);
        watching.thread().unpark();
        done
    })
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}
