//! What can go wrong with a database, and what to do about it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use crate::money::counted;

/// Why the database could not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PersistenceError {
    /// There is no such file, and reading does not make one.
    #[error("database `{}` does not exist", .0.display())]
    Missing(PathBuf),
    /// A new file was asked for where one is.
    #[error("`{}` exists already", .0.display())]
    FileExists(PathBuf),
    /// The folder of a new file does not exist.
    #[error("folder `{}` of the database does not exist", .0.display())]
    NoFolder(PathBuf),
    /// The file is no DuckDB file.
    #[error("`{}` is not a database", .0.display())]
    NotADatabase(PathBuf),
    /// A DuckDB file with tables of somebody else.
    #[error("database `{}` holds tables of another program", .0.display())]
    Foreign(PathBuf),
    /// A DuckDB file without tables, asked to be read.
    #[error("database `{}` holds nothing yet", .0.display())]
    Empty(PathBuf),
    /// A file in the layout of the reference, asked to be written.
    #[error("database `{}` has the reference's layout and is only read", .0.display())]
    Reference(PathBuf),
    /// Another process has the file.
    #[error("database `{}` is in use by {holder}", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
        /// Program and process id, as far as known.
        holder: String,
    },
    /// The same file is open read-only in this process.
    #[error("database `{}` is already open for reading only", .0.display())]
    OpenForReading(PathBuf),
    /// The same file is open in this process.
    #[error("database `{}` is open in this process", .0.display())]
    OpenHere(PathBuf),
    /// The file cannot be written.
    #[error("database `{}` cannot be written: {reason}", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The layout is older than this program's.
    #[error("database `{}` has layout {found}, this program reads {current}", path.display())]
    Older {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i32,
        /// Ours.
        current: i32,
    },
    /// The layout is newer than this program's.
    #[error("database `{}` has layout {found}, this program knows layouts up to {current}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: i32,
        /// Ours.
        current: i32,
    },
    /// DuckDB cannot open the file.
    #[error("database `{}` cannot be opened: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What DuckDB says.
        reason: String,
    },
    /// An id that cannot be used.
    #[error("{what} id `{id}` {reason}")]
    BadId {
        /// Whose id.
        what: &'static str,
        /// The id, control characters escaped.
        id: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An id that exists.
    #[error("{what} `{id}` exists already in this database")]
    Exists {
        /// Whose id.
        what: &'static str,
        /// The id.
        id: String,
    },
    /// An id that is to be imported and exists.
    #[error("{what} `{id}` exists already in this database{}", and_others(*.others))]
    ImportExists {
        /// Whose id.
        what: &'static str,
        /// The first of them.
        id: String,
        /// How many more exist.
        others: usize,
    },
    /// A file that is to be imported into itself.
    #[error("database `{}` cannot be imported into itself", .0.display())]
    ImportItself(PathBuf),
    /// A database that is to be imported and is not there.
    #[error("there is no database `{}` to import", .0.display())]
    NothingToImport(PathBuf),
    /// Something stopped an import on its way.
    #[error("{cause}; imported before: {} of {}, {} of {}", done[0], counted(of[0], "simulation"),
        done[1], counted(of[1], "run"))]
    ImportStopped {
        /// Simulations and runs that are committed.
        done: [u64; 2],
        /// Simulations and runs of the other file.
        of: [u64; 2],
        /// What stopped it.
        cause: Box<PersistenceError>,
    },
    /// A simulation or run that is not there.
    #[error("there is no {what} `{id}` in database `{}`", path.display())]
    Unknown {
        /// The file.
        path: PathBuf,
        /// Whose id.
        what: &'static str,
        /// The id.
        id: String,
        /// Ids that are near.
        near: Vec<String>,
    },
    /// A simulation that cannot be resumed.
    #[error("simulation `{id}` cannot be resumed: {reason}")]
    NotResumable {
        /// The simulation.
        id: String,
        /// Why not.
        reason: String,
        /// The run of an experiment to which it belongs.
        run: Option<String>,
    },
    /// A call that breaks the order of calls; an error of the program.
    #[error("simulation `{id}`: {what}")]
    OutOfOrder {
        /// The simulation.
        id: String,
        /// What was wrong.
        what: String,
    },
    /// A batch could not be written.
    #[error("database `{}` could not be written: {reason}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What DuckDB says.
        reason: String,
    },
    /// A copy could not be written.
    #[error("no copy of database `{}` could be written: {reason}", path.display())]
    Snapshot {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A question that could not be answered.
    #[error("the database could not answer: {0}")]
    Query(String),
    /// A filter that makes no sense.
    #[error("{message}")]
    Filter {
        /// What is wrong.
        message: String,
        /// What would be right.
        hint: Option<String>,
    },
    /// The question was withdrawn.
    #[error("the query was cancelled")]
    Cancelled,
    /// A stored value that this program cannot read.
    #[error("{what}: {reason}")]
    Corrupt {
        /// Where.
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// The writer is gone.
    #[error("the database writer has stopped")]
    Stopped,
}

impl PersistenceError {
    /// What the user can do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Missing(_) => "`payment-sim run --persist` or `payment-sim db init` creates one",
            Self::FileExists(_) => "name another file",
            Self::NoFolder(_) => "create the folder first",
            Self::NotADatabase(_) | Self::Foreign(_) | Self::Unreadable { .. } => {
                "name another file with `--db`"
            }
            Self::Reference(_) => "take it over into a file of your own with `payment-sim db import`",
            Self::Locked { holder, .. } if gives_copies(holder) => {
                "wait until it has ended, copy the data with `payment-sim db snapshot`, or name another file \
                 with `--db`"
            }
            Self::Locked { .. } => "wait until it has ended, or name another file with `--db`",
            Self::NothingToImport(_) => "name the file whose simulations are to be taken over",
            Self::ImportStopped { .. } => {
                "delete what was imported with `payment-sim db delete`, or import everything anew with \
                 `--prefix TEXT`"
            }
            Self::Snapshot { reason, .. } if reason.contains(" holds it and ") => {
                "wait until it has ended, or end it"
            }
            Self::OpenForReading(_) | Self::OpenHere(_) => "close it first",
            Self::Empty(_) => "the first simulation that is stored in it gives it its tables",
            Self::ReadOnly { reason, .. } if reason.contains("no space") => {
                "make room, or name another file with `--db`"
            }
            Self::ReadOnly { .. } => "name a file in a folder that you may write to with `--db`",
            Self::Older { .. } => "bring it up to date with `payment-sim db migrate`",
            Self::Newer { .. } => "use the newer program, or name another file with `--db`",
            Self::Exists { what: "simulation", .. } => {
                "give another one with `--simulation-id`, or leave it out"
            }
            Self::Exists { .. } => "give another one, or leave it out",
            Self::ImportExists { .. } => "rename what is imported with `--prefix TEXT`",
            Self::ImportItself(_) => "name another file to import into with `--db`",
            Self::Write { .. } => {
                "what was committed before is safe; make room or name another file with `--db`"
            }
            Self::Unknown { near, .. } if !near.is_empty() => {
                return Some(format!("did you mean `{}`?", near.join("`, `")));
            }
            Self::NotResumable { run: Some(run), .. } => {
                return Some(format!("`payment-sim experiment resume {run}` continues the whole run"));
            }
            Self::Filter { hint, .. } => return hint.clone(),
            _ => return None,
        };
        Some(text.to_owned())
    }
}

impl From<duckdb::Error> for PersistenceError {
    fn from(error: duckdb::Error) -> Self {
        let text = message(&error);
        if text.starts_with("INTERRUPT") { Self::Cancelled } else { Self::Query(text) }
    }
}

/// Whether the program that holds a file is one like this, which can be asked for a copy.
fn gives_copies(holder: &str) -> bool {
    let program = holder.trim_start_matches('`').split('`').next().unwrap_or_default();
    let name = Path::new(program).file_name();
    let own = std::env::current_exe().ok();
    name.is_none()
        || name == Some(OsStr::new("payment-sim"))
        || name == own.as_deref().and_then(Path::file_name)
}

fn and_others(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => ", and another one".to_owned(),
        count => format!(", and {count} others"),
    }
}

/// DuckDB's message without the decoration of the library.
pub(super) fn message(error: &duckdb::Error) -> String {
    match error {
        duckdb::Error::DuckDBFailure(_, Some(text)) => text.trim_end().to_owned(),
        other => other.to_string(),
    }
}
