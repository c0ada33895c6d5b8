//! Whole copies of a file: without the space of deleted rows, or beside one that is being written
//! (spec 06, 7.7).

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use duckdb::Connection;

use super::error::message;
use super::log::log_of;
use super::{Access, Database, Layout, NewFile, PersistenceError, host, open, schema};

/// Number of the next copy in this process; part of the name that DuckDB knows it by.
static COPIES: AtomicU64 = AtomicU64::new(0);

/// How often whoever holds a file is asked, and how long is waited in between.
const TRIES: u32 = 10;
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

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
/// A file that is missing, not ours, held or not writable; no space for the second file.
pub fn compact(path: &Path) -> Result<Compacted, PersistenceError> {
    if !path.exists() {
        return Err(PersistenceError::Missing(path.to_owned()));
    }
    Database::while_closed(path, |path| {
        let failed = |reason: String| PersistenceError::Write { path: path.to_owned(), reason };
        let before = size(path) + size(&log_of(path));
        // Held until the end: nobody writes to the old file once the copy has begun.
        let opened = open::open(path, Access::Write)?;
        let old = &opened.connection;
        old.execute_batch("CHECKPOINT").map_err(|error| failed(message(&error)))?;
        let file = NewFile::replacing(path).map_err(|error| failed(error.to_string()))?;
        copy(old, file.path()).map_err(|error| failed(error.to_string()))?;
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
/// already or cannot be written.
pub fn snapshot(path: &Path, out: &Path) -> Result<Vec<String>, PersistenceError> {
    if !path.exists() {
        return Err(PersistenceError::Missing(path.to_owned()));
    }
    let failed = |reason: String| PersistenceError::Snapshot { path: path.to_owned(), reason };
    let out = std::path::absolute(out).map_err(|error| failed(error.to_string()))?;
    let mut tries = 0;
    loop {
        match copy_closed(path, &out) {
            Err(locked @ PersistenceError::Locked { .. }) => {
                if host::ask_for_copy(&open::canonical(path)?, &out)?.is_some() {
                    return Ok(Vec::new());
                }
                // Whoever holds it may be about to listen, or about to end.
                tries += 1;
                if tries == TRIES {
                    return Err(locked);
                }
                std::thread::sleep(BETWEEN_TRIES);
            }
            done => return done,
        }
    }
}

/// Copies a file that no other process writes.
fn copy_closed(path: &Path, out: &Path) -> Result<Vec<String>, PersistenceError> {
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
        write_copy(&memory, path, out, || false)?;
        Ok(warnings)
    })
}

/// Writes a copy, which appears when it is complete and somebody still wants it. Only those may read it
/// who may read the file.
pub(super) fn write_copy(
    connection: &Connection,
    path: &Path,
    out: &Path,
    unwanted: impl Fn() -> bool,
) -> Result<(), PersistenceError> {
    let failed = |reason: String| PersistenceError::Snapshot { path: path.to_owned(), reason };
    // A link that leads nowhere counts too.
    if fs::symlink_metadata(out).is_ok() {
        return Err(PersistenceError::FileExists(out.to_owned()));
    }
    let folder = out.parent().unwrap_or(out);
    if !folder.is_dir() {
        return Err(failed(format!("folder `{}` does not exist", folder.display())));
    }
    let file = NewFile::at(out).map_err(|error| failed(error.to_string()))?;
    copy(connection, file.path()).map_err(|error| failed(error.to_string()))?;
    if unwanted() {
        return Err(PersistenceError::Cancelled);
    }
    settle(file, path).map_err(|error| failed(error.to_string()))
}

/// Puts a complete copy in its place, with the permissions of the original.
fn settle(file: NewFile, original: &Path) -> std::io::Result<()> {
    fs::set_permissions(file.path(), fs::metadata(original)?.permissions())?;
    file.take_place()
}

/// Copies everything that a connection's database holds, as it is at this moment, into a new file.
fn copy(connection: &Connection, out: &Path) -> Result<(), PersistenceError> {
    let name = format!("payment_sim_copy_{}", COPIES.fetch_add(1, Ordering::Relaxed));
    let source: String = connection.query_row("SELECT current_database()", [], |row| row.get(0))?;
    let source = source.replace('"', "\"\"");
    connection.execute_batch(&format!(
        "ATTACH {} AS {name} (BLOCK_SIZE {}, STORAGE_VERSION '{}')",
        schema::file_literal(out)?,
        open::BLOCK_SIZE,
        open::STORAGE_VERSION
    ))?;
    let copied =
        connection.execute_batch(&format!("COPY FROM DATABASE \"{source}\" TO {name}; CHECKPOINT {name}"));
    let detached = connection.execute_batch(&format!("DETACH {name}"));
    Ok(copied.and(detached)?)
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}
