//! Where scenarios, experiments and policies come from: files on disk, or the library that comes
//! with the program (`library:NAME`). The only place that reads them.

mod experiment;
mod scenario;

use std::path::{Path, PathBuf};

use crate::finding::Findings;
use crate::library;
use crate::scenario::{FileKind, FileText, Files};

pub use experiment::{
    ExperimentOptions, LoadedExperiment, from_environment, load_experiment, read_experiment,
};
pub use scenario::{LoadedScenario, load_from, load_scenario};

/// Largest file that is read, in bytes: far beyond any day of payments, far below the memory.
const MAX_BYTES: u64 = 512 * 1024 * 1024;

/// Why a file could not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// There is none.
    #[error("file `{0}` does not exist")]
    Missing(String),
    /// It is a folder.
    #[error("`{0}` is a folder, not a file")]
    Folder(String),
    /// It is too large.
    #[error("file `{name}` has {bytes} bytes; at most {MAX_BYTES} are read")]
    TooLarge {
        /// The file.
        name: String,
        /// Its size.
        bytes: u64,
    },
    /// It is no text.
    #[error("file `{name}` is no text: byte {at} is not UTF-8")]
    NotText {
        /// The file.
        name: String,
        /// Where the text ends.
        at: usize,
    },
    /// The system refuses.
    #[error("file `{name}` cannot be read: {reason}")]
    Unreadable {
        /// The file.
        name: String,
        /// What the system says.
        reason: String,
    },
    /// Its name ends in something else than a scenario's.
    #[error("`{0}` is no scenario file: its name must end in .yaml, .yml or .json")]
    UnknownEnding(String),
    /// The library has none of that name.
    #[error(transparent)]
    NotInLibrary(#[from] library::UnknownAsset),
    /// A file of the library names one that is not there.
    #[error("the library has no file `{0}`")]
    NoLibraryFile(String),
    /// The file is refused.
    #[error("`{name}` is refused")]
    Refused {
        /// The file.
        name: String,
        /// Why, and its warnings.
        findings: Findings,
    },
}

impl SourceError {
    /// What to do next.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotInLibrary(unknown) => Some(unknown.hint()),
            _ => None,
        }
    }
}

/// A text with the place from which it names other files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// File name without folder.
    pub name: String,
    /// What it holds.
    pub text: String,
    place: Place,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Disk(PathBuf),
    Library(library::File),
}

impl Source {
    /// Opens a path, or `library:NAME` where files of this kind are wanted.
    ///
    /// # Errors
    ///
    /// A file that is missing, too large, no text, or not in the library.
    pub fn open(argument: &str, kind: library::Kind) -> Result<Self, SourceError> {
        match library::name_in(argument) {
            Some(name) => Ok(Self::of_library(library::find_kind(kind, name)?.file)),
            None => Self::on_disk(Path::new(argument)),
        }
    }

    fn of_library(file: library::File) -> Self {
        let name = file.file_name().to_owned();
        Self { name, text: file.text.to_owned(), place: Place::Library(file) }
    }

    fn on_disk(path: &Path) -> Result<Self, SourceError> {
        let text = read_text(path)?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self { name, text, place: Place::Disk(path.to_owned()) })
    }

    /// The file that this one names, by a path relative to it.
    ///
    /// # Errors
    ///
    /// As [`Source::open`].
    pub fn relative(&self, path: &str) -> Result<Self, SourceError> {
        if library::name_in(path).is_some() {
            return Self::open(path, library::Kind::Scenario);
        }
        match &self.place {
            Place::Disk(own) => Self::on_disk(&folder_of(own).join(path)),
            Place::Library(own) => library::resolve(own.path, path)
                .map(Self::of_library)
                .ok_or_else(|| SourceError::NoLibraryFile(path.to_owned())),
        }
    }

    /// How the source is named on the command line.
    #[must_use]
    pub fn argument(&self) -> String {
        match &self.place {
            Place::Disk(path) => path.display().to_string(),
            Place::Library(file) => format!("{}{}", library::PREFIX, file.path),
        }
    }
}

/// The folder of a file; the working directory for a bare name.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn read_text(path: &Path) -> Result<String, SourceError> {
    let name = path.display().to_string();
    let unreadable = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => SourceError::Missing(name.clone()),
        _ => SourceError::Unreadable { name: name.clone(), reason: error.to_string() },
    };
    let about = std::fs::metadata(path).map_err(unreadable)?;
    if about.is_dir() {
        return Err(SourceError::Folder(name));
    }
    if about.len() > MAX_BYTES {
        return Err(SourceError::TooLarge { name, bytes: about.len() });
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    String::from_utf8(bytes)
        .map_err(|error| SourceError::NotText { name, at: error.utf8_error().valid_up_to() })
}

/// A scenario names policies and payments: policies are looked for in the working directory, then in
/// the scenario's folder and its parents, nearest first (spec 01, 2.7).
impl Files for Source {
    fn read(&self, path: &str, kind: FileKind) -> Result<FileText, String> {
        let found = match (&self.place, kind) {
            (Place::Disk(own), FileKind::Policy) => find_policy(own, path),
            (Place::Library(own), _) => return library::read_from(own, path, kind),
            (Place::Disk(_), FileKind::Payments) => self.relative(path),
        };
        let source = found.map_err(|error| error.to_string())?;
        Ok(FileText { name: source.argument(), text: source.text })
    }
}

fn find_policy(scenario: &Path, path: &str) -> Result<Source, SourceError> {
    let wanted = Path::new(path);
    if wanted.is_absolute() {
        return Source::on_disk(wanted);
    }
    let absolute = std::path::absolute(scenario).unwrap_or_else(|_| scenario.to_owned());
    let beside = absolute.ancestors().skip(1).map(|folder| folder.join(wanted));
    let mut candidates = std::iter::once(wanted.to_owned()).chain(beside);
    match candidates.find(|candidate| candidate.is_file()) {
        Some(found) => Source::on_disk(&found),
        None => Err(SourceError::Missing(path.to_owned())),
    }
}

/// Writes a file of the library below a folder, at its place in the library; what stands there is replaced.
///
/// # Errors
///
/// It cannot be written.
pub fn copy_library_file(file: &library::File, to: &Path) -> std::io::Result<()> {
    let target = to.join(file.path);
    std::fs::create_dir_all(target.parent().unwrap_or(to))?;
    std::fs::write(target, file.text)
}

/// A file name without its ending.
#[must_use]
pub fn stem(name: &str) -> String {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned()
}
