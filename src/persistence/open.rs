//! What is found when a file is opened, and what happens then (spec 06, 1.2 and 1.3).

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use duckdb::{AccessMode, Config, Connection, params};

use super::error::message;
use super::log::{self, Contents};
use super::new_file::is_database;
use super::{Access, Layout, Moment, NewFile, PersistenceError, reference, schema};

/// Threads of DuckDB where simulations run beside it. With more of them, a caller whose query
/// another thread works on spins while it waits, and takes a core from the engine.
const WRITING_THREADS: i64 = 1;
/// Threads of DuckDB where nothing else runs.
const READING_THREADS: i64 = 4;
/// Size of the write-ahead log that makes a commit take it over into the file. Each time the
/// last group of rows is compressed again, so this is large.
const CHECKPOINT_AT: &str = "128MB";
/// Optimizers that are not used. Up to 1.5 this one lets the figures of a table's contents decide how a
/// prepared statement is executed, and the statement keeps that plan when other rows have come: a table
/// that was empty stays empty for it, and texts come out garbled (duckdb/duckdb#23704, #24696).
const UNSAFE_OPTIMIZERS: &str = "statistics_propagation";
/// Takes the log over into the file and merges the small groups of rows that the checkpoints before left.
/// Those that a commit makes by itself merge nothing: one after the other they would write the same rows
/// again and again, and a long simulation would cost more the longer it is.
pub(super) const CHECKPOINT: &str = "SET max_vacuum_tasks = 100; CHECKPOINT; SET max_vacuum_tasks = 0";
/// Memory that DuckDB may use for everything together.
pub(super) const MAX_MEMORY: &str = "512MB";
/// Block size of new files in bytes.
pub(super) const BLOCK_SIZE: &str = "16384";
/// Storage format of new files.
pub(super) const STORAGE_VERSION: &str = "v1.5.0";

/// An opened file.
pub(super) struct Opened {
    /// The first connection; others are clones of it.
    pub connection: Connection,
    /// Whose tables it holds.
    pub layout: Layout,
    /// The older version of our layout that it had before, if it was migrated.
    pub migrated_from: Option<i32>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// The path under which a file is known in this process.
pub(super) fn canonical(path: &Path) -> Result<PathBuf, PersistenceError> {
    if let Ok(path) = path.canonicalize() {
        return Ok(path);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().ok_or_else(|| PersistenceError::NotADatabase(path.to_owned()))?;
    let folder = folder.canonicalize().map_err(|_| PersistenceError::NoFolder(folder.to_owned()))?;
    Ok(folder.join(name))
}

/// Opens a file; creates or migrates it if it is to be written.
pub(super) fn open(path: &Path, access: Access) -> Result<Opened, PersistenceError> {
    open_as(path, access, &schema::VERSIONS)
}

/// Opens a file as a program does that knows these versions.
pub(super) fn open_as(
    path: &Path,
    access: Access,
    versions: &schema::Versions,
) -> Result<Opened, PersistenceError> {
    let current = versions.current();
    let mut warnings = Vec::new();
    let found = if path.exists() {
        check_is_duckdb(path)?;
        inspect(path, access, &mut warnings)?
    } else if access == Access::Read {
        return Err(PersistenceError::Missing(path.to_owned()));
    } else {
        create(path, versions, &mut warnings)?;
        Found::Ours(current)
    };
    let layout = layout(found, access, current, path)?;
    if layout == Layout::Reference {
        return show_reference(path, warnings);
    }
    if access == Access::Write {
        check_writable(path)?;
    }
    let connection = connect(path, access)?;
    if let (Layout::Ours(version), Access::Write) = (layout, access) {
        migrate(&connection, path, versions, version)?;
        let migrated_from = Some(version).filter(|version| (1..current).contains(version));
        let layout = Layout::Ours(current);
        return Ok(Opened { connection, layout, migrated_from, warnings });
    }
    Ok(Opened { connection, layout, migrated_from: None, warnings })
}

/// Makes a file with the current layout. It appears when it is whole, and takes nothing's place.
fn create(
    path: &Path,
    versions: &schema::Versions,
    warnings: &mut Vec<String>,
) -> Result<(), PersistenceError> {
    check_writable(path)?;
    if log::holds_something(path) {
        let aside = log::set_aside(path)?;
        warnings.push(format!(
            "there was a write-ahead log of `{}`, and no such file; it is kept as `{}`",
            path.display(),
            aside.display()
        ));
    }
    let failed =
        |error: std::io::Error| PersistenceError::Write { path: path.to_owned(), reason: error.to_string() };
    let file = NewFile::at(path).map_err(failed)?;
    let connection = connect_to(file.path(), path, Access::Write)?;
    migrate(&connection, path, versions, 0)?;
    drop(connection);
    match file.take_free_place() {
        // Another process was faster: it is that one's file.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        taken => taken.map_err(failed),
    }
}

/// What can be opened, and how.
fn layout(found: Found, access: Access, current: i32, path: &Path) -> Result<Layout, PersistenceError> {
    let path = path.to_owned();
    match (found, access) {
        (Found::Foreign, _) => Err(PersistenceError::Foreign(path)),
        (Found::NoTables, Access::Read) => Err(PersistenceError::Empty(path)),
        (Found::Reference, Access::Write) => Err(PersistenceError::Reference(path)),
        (Found::Reference, Access::Read) => Ok(Layout::Reference),
        (Found::Ours(found), _) if found > current => Err(PersistenceError::Newer { path, found, current }),
        (Found::Ours(found), Access::Read) if found < current => {
            Err(PersistenceError::Older { path, found, current })
        }
        (Found::Ours(version), _) => Ok(Layout::Ours(version)),
        (Found::NoTables, Access::Write) => Ok(Layout::Ours(0)),
    }
}

/// Opens a file of the reference to be looked at: its simulations and runs in tables of ours in memory
/// (spec 06, 8). Its own tables are there as `reference.NAME`.
fn show_reference(path: &Path, mut warnings: Vec<String>) -> Result<Opened, PersistenceError> {
    let failed = |error: duckdb::Error| PersistenceError::Unreadable {
        path: path.to_owned(),
        reason: message(&error),
    };
    let connection =
        settings(READING_THREADS).and_then(Connection::open_in_memory_with_flags).map_err(failed)?;
    migrate(&connection, path, &schema::VERSIONS, 0)?;
    attach(&connection, path, reference::REFERENCE)?;
    warnings.extend(reference::take_over(&connection, reference::REFERENCE)?);
    Ok(Opened { connection, layout: Layout::Reference, migrated_from: None, warnings })
}

/// Attaches a file to be read beside the one of the connection.
pub(super) fn attach(connection: &Connection, path: &Path, name: &str) -> Result<(), PersistenceError> {
    let statement = format!("ATTACH {} AS {name} (READ_ONLY)", schema::file_literal(path)?);
    connection.execute_batch(&statement).map_err(|error| refused(path, Access::Read, &message(&error)))
}

/// A file that is to be imported: whose tables it holds, and what the user should know.
pub(super) fn importable(path: &Path) -> Result<(Layout, Vec<String>), PersistenceError> {
    if !path.exists() {
        return Err(PersistenceError::Missing(path.to_owned()));
    }
    check_is_duckdb(path)?;
    let mut warnings = Vec::new();
    let found = inspect(path, Access::Read, &mut warnings)?;
    Ok((layout(found, Access::Read, schema::VERSIONS.current(), path)?, warnings))
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    NoTables,
    Ours(i32),
    Reference,
    Foreign,
}

fn check_is_duckdb(path: &Path) -> Result<(), PersistenceError> {
    let unreadable = |error: std::io::Error| PersistenceError::Unreadable {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    if fs::metadata(path).map_err(unreadable)?.is_file() {
        File::open(path).map_err(unreadable)?;
        if is_database(path) {
            return Ok(());
        }
    }
    Err(PersistenceError::NotADatabase(path.to_owned()))
}

fn check_writable(path: &Path) -> Result<(), PersistenceError> {
    let folder = path.parent().unwrap_or(path);
    for (place, what) in [(path, "the file is read-only"), (folder, "its folder is read-only")] {
        if fs::metadata(place).is_ok_and(|metadata| metadata.permissions().readonly()) {
            return Err(PersistenceError::ReadOnly { path: path.to_owned(), reason: what.to_owned() });
        }
    }
    Ok(())
}

pub(super) fn connect(path: &Path, access: Access) -> Result<Connection, PersistenceError> {
    connect_to(path, path, access)
}

/// Opens a file that errors call by another name.
fn connect_to(file: &Path, path: &Path, access: Access) -> Result<Connection, PersistenceError> {
    let mode = if access == Access::Read { AccessMode::ReadOnly } else { AccessMode::ReadWrite };
    let threads = if access == Access::Read { READING_THREADS } else { WRITING_THREADS };
    let opened = settings(threads)
        .and_then(|config| config.access_mode(mode))
        .and_then(|config| Connection::open_with_flags(file, config));
    opened.map_err(|error| refused(path, access, &message(&error)))
}

fn settings(threads: i64) -> duckdb::Result<Config> {
    Config::default()
        .threads(threads)
        .and_then(|config| config.max_memory(MAX_MEMORY))
        .and_then(|config| config.enable_autoload_extension(false))
        .and_then(|config| config.with("checkpoint_threshold", CHECKPOINT_AT))
        .and_then(|config| config.with("disabled_optimizers", UNSAFE_OPTIMIZERS))
        .and_then(|config| config.with("max_vacuum_tasks", "0"))
        .and_then(|config| config.with("default_block_size", BLOCK_SIZE))
        .and_then(|config| config.with("storage_compatibility_version", STORAGE_VERSION))
}

/// Names the cause why DuckDB refused a file.
fn refused(path: &Path, access: Access, reason: &str) -> PersistenceError {
    let path = path.to_owned();
    if let Some(holder) = lock_holder(reason) {
        return PersistenceError::Locked { path, holder };
    }
    let denied = ["Permission denied", "Read-only file system", "No space left"]
        .into_iter()
        .find(|sign| reason.contains(sign));
    match denied {
        Some(sign) if access == Access::Write => {
            PersistenceError::ReadOnly { path, reason: sign.to_lowercase() }
        }
        _ => {
            let reason = newer_format(reason).unwrap_or_else(|| reason.to_owned());
            PersistenceError::Unreadable { path, reason }
        }
    }
}

/// What DuckDB says in many words of a file whose storage format it does not know yet.
fn newer_format(reason: &str) -> Option<String> {
    let (_, rest) = reason.split_once("database file with version number ")?;
    let (found, rest) = rest.split_once(',')?;
    let (_, last) = rest.lines().next()?.trim_end_matches('.').rsplit_once(' ')?;
    Some(format!(
        "a newer DuckDB wrote it, in storage format {found}; this program reads formats up to {last}"
    ))
}

/// The program that holds the lock, as DuckDB names it: `… is held in /usr/bin/x (PID 12) by user …`.
fn lock_holder(reason: &str) -> Option<String> {
    if !reason.contains("Could not set lock on file") {
        return None;
    }
    let held = reason.split("lock is held in ").nth(1).and_then(|rest| {
        let (program, rest) = rest.split_once(" (PID ")?;
        let (pid, _) = rest.split_once(')')?;
        Some(format!("`{program}` (process {pid})"))
    });
    Some(held.unwrap_or_else(|| "another process".to_owned()))
}

/// Looks into a file without changing it. A write-ahead log that DuckDB refuses is set aside; one that it
/// would delete unread too, before the file is written.
fn inspect(path: &Path, access: Access, warnings: &mut Vec<String>) -> Result<Found, PersistenceError> {
    let unreadable = |error: duckdb::Error| PersistenceError::Unreadable {
        path: path.to_owned(),
        reason: message(&error),
    };
    let without_log = Contents::without_log(path);
    let connection = match connect(path, Access::Read) {
        Ok(connection) => connection,
        Err(PersistenceError::Unreadable { reason, .. }) if log::is_refused(path, &reason) => {
            let aside = log::set_aside(path)?;
            let connection = connect(path, Access::Read)?;
            warnings.push(format!(
                "the write-ahead log of `{}` was damaged and is kept as `{}`; {}",
                path.display(),
                aside.display(),
                last_row(&connection)
            ));
            return layout_of(&connection).map_err(unreadable);
        }
        Err(other) => return Err(other),
    };
    if let Some(without_log) = without_log
        && Contents::of(&connection).map_err(unreadable)? == without_log
    {
        let passed_over = format!(
            "the write-ahead log of `{}` was passed over: it holds no whole transaction, or is damaged \
             at its beginning",
            path.display()
        );
        warnings.push(match access {
            Access::Read => passed_over,
            Access::Write => {
                let aside = log::set_aside(path)?;
                format!("{passed_over}; it is kept as `{}`; {}", aside.display(), last_row(&connection))
            }
        });
    }
    layout_of(&connection).map_err(unreadable)
}

/// How far a file goes, in words.
fn last_row(connection: &Connection) -> String {
    let latest = "SELECT epoch_us(greatest((SELECT max(created_at) FROM simulation_events), \
                  (SELECT max(started_at) FROM simulations), (SELECT max(ended_at) FROM simulations)))";
    let latest = connection.query_row(latest, [], |row| row.get::<_, Option<i64>>(0)).ok().flatten();
    latest.map_or_else(
        || "it holds no rows".to_owned(),
        |moment| format!("the last row that is there is of {}", Moment(moment).format("%Y-%m-%d %H:%M:%S")),
    )
}

fn layout_of(connection: &Connection) -> duckdb::Result<Found> {
    let mut statement = connection.prepare(
        "SELECT table_name, schema_name = 'main' FROM duckdb_tables() WHERE NOT internal ORDER BY ALL",
    )?;
    let tables: Vec<(String, bool)> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<duckdb::Result<_>>()?;
    if tables.is_empty() {
        return Ok(Found::NoTables);
    }
    let has = |name: &str| tables.iter().any(|(table, is_main)| *is_main && table == name);
    if has("schema_migrations") && has_column(connection, "schema_migrations", "version")? {
        let version: Option<i32> =
            connection
                .query_row("SELECT max(version)::INTEGER FROM schema_migrations", [], |row| row.get(0))?;
        if let Some(version) = version.filter(|version| *version >= 100) {
            return Ok(Found::Ours(version));
        }
    }
    let runs = has("simulations") && has_column(connection, "simulations", "config_hash")?;
    Ok(if runs || has("experiments") { Found::Reference } else { Found::Foreign })
}

fn has_column(connection: &Connection, table: &str, column: &str) -> duckdb::Result<bool> {
    connection.query_row(
        "SELECT count(*) > 0 FROM duckdb_columns() \
         WHERE schema_name = 'main' AND table_name = ? AND column_name = ?",
        params![table, column],
        |row| row.get(0),
    )
}

/// Brings a file up to the current version, one transaction a step.
fn migrate(
    connection: &Connection,
    path: &Path,
    versions: &schema::Versions,
    from: i32,
) -> Result<(), PersistenceError> {
    let failed = |error: duckdb::Error| PersistenceError::Write {
        path: path.to_owned(),
        reason: format!("the layout could not be made: {}", message(&error)),
    };
    let mut changed = false;
    for step in versions.pending(from) {
        changed = true;
        let statements = format!("BEGIN;\n{}", (step.sql)());
        let done = connection
            .execute_batch(&statements)
            .and_then(|()| {
                connection.execute(
                    "INSERT INTO schema_migrations VALUES (?, make_timestamp(?), ?)",
                    params![step.version, Moment::now().0, step.description],
                )
            })
            .and_then(|_| connection.execute_batch("COMMIT"));
        if let Err(error) = done {
            // The first error counts; the transaction may be gone already.
            let _ = connection.execute_batch("ROLLBACK");
            return Err(failed(error));
        }
    }
    if changed { connection.execute_batch("CHECKPOINT").map_err(failed) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_storage_format_is_told_in_one_sentence() {
        let said = "IO Error: Trying to read a database file with version number 69, but we can only read \
                    versions between 64 and 68.\nThe database file was created with a newer version of \
                    DuckDB.\n\nNewer DuckDB version might introduce backward incompatible changes.";
        let told = "a newer DuckDB wrote it, in storage format 69; this program reads formats up to 68";
        assert_eq!(newer_format(said).as_deref(), Some(told));
        assert_eq!(newer_format("IO Error: could not read"), None);
    }
}
