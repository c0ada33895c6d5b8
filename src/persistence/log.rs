//! The write-ahead log beside a file: what was committed and is not yet taken over into the file. DuckDB
//! deletes a log whose beginning it cannot read; here none goes that nobody has read (spec 06, 1.2).

use std::fs;
use std::path::{Path, PathBuf};

use duckdb::Connection;

use super::open::connect;
use super::{Access, Moment, NewFile, PersistenceError};

/// A log of so many bytes has a head and nothing behind it.
const HEAD: u64 = 64;

/// Tables with more rows than this are known by the number of their rows.
const SMALL: i64 = 10_000;

/// What DuckDB says when the system, not the content of a file, stands in its way.
const OF_THE_SYSTEM: [&str; 7] = [
    "Cannot open file",
    "Could not read",
    "Permission denied",
    "Too many open files",
    "No space left",
    "Input/output error",
    "Out of Memory",
];

/// The write-ahead log of a file.
pub(super) fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".wal");
    name.into()
}

/// Whether there is a log with something in it.
pub(super) fn holds_something(path: &Path) -> bool {
    fs::metadata(log_of(path)).is_ok_and(|log| log.len() > HEAD)
}

/// Whether a file is refused for the content of its log. A log that the system does not give, for want of a
/// permission or of anything else, is not damaged.
pub(super) fn is_refused(path: &Path, reason: &str) -> bool {
    let reason = reason.replace(&*path.to_string_lossy(), "");
    let names_log = reason.contains("WAL") || reason.contains(".wal");
    names_log && !OF_THE_SYSTEM.iter().any(|sign| reason.contains(sign)) && log_of(path).exists()
}

/// Gives a log another name, one that nothing has yet.
///
/// # Errors
///
/// The system refuses.
pub(super) fn set_aside(path: &Path) -> Result<PathBuf, PersistenceError> {
    let log = log_of(path);
    let stamp = Moment::now().format(".damaged-%Y%m%d-%H%M%S");
    let names = std::iter::once(String::new()).chain((2..).map(|number| format!("-{number}")));
    let names = names.map(|number| {
        let mut name = log.clone().into_os_string();
        name.push(format!("{stamp}{number}"));
        PathBuf::from(name)
    });
    let aside = names.into_iter().find(|name| fs::symlink_metadata(name).is_err()).unwrap_or_default();
    fs::rename(&log, &aside).map_err(|error| PersistenceError::Unreadable {
        path: path.to_owned(),
        reason: format!("its write-ahead log cannot be read and cannot be renamed: {error}"),
    })?;
    Ok(aside)
}

/// What the tables of a file hold, so far that what a log brings is seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Contents(Vec<(String, i64, Option<String>)>);

impl Contents {
    /// Of a file without its log. Nothing if there is no log that matters, or if it cannot be found out.
    pub(super) fn without_log(path: &Path) -> Option<Self> {
        if !holds_something(path) {
            return None;
        }
        // Under another name it has none. DuckDB goes behind symbolic links; a hard one is only known here.
        let file = NewFile::replacing(path).ok()?;
        fs::hard_link(path, file.path()).ok()?;
        let connection = connect(file.path(), Access::Read).ok()?;
        Self::of(&connection).ok()
    }

    /// Of an opened file.
    pub(super) fn of(connection: &Connection) -> duckdb::Result<Self> {
        let mut statement = connection.prepare(
            "SELECT format('\"{}\".\"{}\"', replace(schema_name, '\"', '\"\"'), \
             replace(table_name, '\"', '\"\"')), estimated_size \
             FROM duckdb_tables() WHERE NOT internal ORDER BY ALL",
        )?;
        let tables: Vec<(String, i64)> =
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<duckdb::Result<_>>()?;
        let contents = tables.into_iter().map(|(name, rows)| {
            let hash = if rows <= SMALL {
                let query = format!("SELECT bit_xor(hash(t))::VARCHAR FROM {name} AS t");
                connection.query_row(&query, [], |row| row.get(0))?
            } else {
                None
            };
            Ok((name, rows, hash))
        });
        contents.collect::<duckdb::Result<_>>().map(Self)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_damaged_only_if_its_content_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a WAL.duckdb");
        fs::write(log_of(&path), "").unwrap();
        let (file, log) = (path.display(), log_of(&path));
        let log = log.display();
        let damaged = format!("Failure while replaying WAL file \"{log}\": Corrupt WAL file: checksum");
        assert!(is_refused(&path, &damaged));
        for other in [
            format!("IO Error: Cannot open file \"{log}\": Permission denied"),
            format!("IO Error: Cannot open file \"{log}\": Too many open files"),
            format!("Failure while replaying WAL file \"{log}\": IO Error: Could not read from file"),
            format!("IO Error: Corrupt database file \"{file}\""),
        ] {
            assert!(!is_refused(&path, &other), "{other}");
        }
        fs::remove_file(log_of(&path)).unwrap();
        assert!(!is_refused(&path, &damaged));
    }

    #[test]
    fn a_log_that_is_set_aside_replaces_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.duckdb");
        let mut kept = Vec::new();
        for content in ["one", "two", "three"] {
            fs::write(log_of(&path), content).unwrap();
            kept.push((set_aside(&path).unwrap(), content));
        }
        for (name, content) in kept {
            assert_eq!(fs::read_to_string(name).unwrap(), content);
        }
    }
}
