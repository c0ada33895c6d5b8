//! A file that is written beside its place and takes it when it is complete.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::log::log_of;

/// A file in the making. Dropped before it took its place, it leaves nothing behind.
#[derive(Debug)]
pub struct NewFile {
    place: PathBuf,
    path: PathBuf,
    done: bool,
}

/// Number of the next file in the making of this process.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// Bytes of a file's name that are seen in the name that it has while it is written; some systems take no
/// more than 255 in all.
const NAME: usize = 150;

impl NewFile {
    /// A file that will stand at this place, or where a link at this place leads; nothing is created yet.
    ///
    /// # Errors
    ///
    /// A place without a file name, or where something stands that is no ordinary file, or a database, or
    /// where the write-ahead log of a database has its place.
    pub fn at(place: &Path) -> io::Result<Self> {
        let file = Self::replacing(place)?;
        let refused = |reason| Err(io::Error::new(io::ErrorKind::AlreadyExists, reason));
        if is_database(&file.place) {
            return refused("there is a database of this name; name another file");
        }
        if file.place.extension().is_some_and(|ending| ending == "wal") {
            return refused("this is the name of a database's write-ahead log; name another file");
        }
        Ok(file)
    }

    /// As [`NewFile::at`], also in place of a database.
    ///
    /// # Errors
    ///
    /// A place without a file name, or where something stands that is no ordinary file.
    pub fn replacing(place: &Path) -> io::Result<Self> {
        let place = behind_links(place)?;
        let refused = |kind, reason| Err(io::Error::new(kind, reason));
        match fs::metadata(&place) {
            Ok(found) if found.is_dir() => {
                return refused(io::ErrorKind::IsADirectory, "there is a folder of this name");
            }
            Ok(found) if !found.is_file() => {
                return refused(io::ErrorKind::InvalidInput, "what has this name is no ordinary file");
            }
            _ => {}
        }
        let Some(name) = place.file_name() else {
            return refused(io::ErrorKind::InvalidInput, "this is not the name of a file");
        };
        let name: String = name.to_string_lossy().chars().take(NAME / char::MAX.len_utf8()).collect();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let beside = place.with_file_name(format!(".{name}.{}-{number}.part", std::process::id()));
        Ok(Self { place, path: beside, done: false })
    }

    /// Where it is written until it is complete.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Puts it in its place; what stood there goes.
    ///
    /// # Errors
    ///
    /// The system refuses; what stood there stays then.
    pub fn take_place(mut self) -> io::Result<()> {
        fs::File::open(&self.path)?.sync_all()?;
        fs::rename(&self.path, &self.place)?;
        self.done = true;
        Ok(())
    }

    /// Puts it in its place if nothing stands there.
    ///
    /// # Errors
    ///
    /// Something stands there, or the system refuses.
    pub fn take_free_place(self) -> io::Result<()> {
        fs::File::open(&self.path)?.sync_all()?;
        match fs::hard_link(&self.path, &self.place) {
            // Not every file system has links.
            Err(error) if error.kind() == io::ErrorKind::Unsupported && !self.place.exists() => {
                self.take_place()
            }
            linked => linked,
        }
    }
}

/// Where the links at a place lead to; there need not be anything.
fn behind_links(place: &Path) -> io::Result<PathBuf> {
    let mut place = place.to_owned();
    // As many as the system follows.
    for _ in 0..40 {
        match fs::read_link(&place) {
            Ok(target) => place = place.parent().unwrap_or(Path::new("")).join(target),
            Err(_) => return Ok(place),
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "its links lead in a circle"))
}

/// Whether a file says in its first bytes, behind a checksum, that it is DuckDB's.
pub(super) fn is_database(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(12).read_to_end(&mut start));
    read.is_ok() && start.get(8..12) == Some(b"DUCK")
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.done {
            // They may never have come into being.
            let _ = fs::remove_file(&self.path);
            let _ = fs::remove_file(log_of(&self.path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_takes_its_place_whole_or_not_at_all() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let place = folder.path().join("rows.csv");
        fs::write(&place, "old")?;
        let file = NewFile::at(&place)?;
        fs::write(file.path(), "half")?;
        drop(file);
        assert_eq!(fs::read_to_string(&place)?, "old");
        let file = NewFile::at(&place)?;
        fs::write(file.path(), "new")?;
        file.take_place()?;
        assert_eq!(fs::read_to_string(&place)?, "new");
        assert_eq!(fs::read_dir(folder.path())?.count(), 1);
        assert!(NewFile::at(folder.path()).is_err());
        Ok(())
    }

    #[test]
    fn a_free_place_is_taken_and_no_other() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let place = folder.path().join("x");
        for (content, taken) in [("first", true), ("second", false)] {
            let file = NewFile::at(&place)?;
            fs::write(file.path(), content)?;
            assert_eq!(file.take_free_place().is_ok(), taken, "{content}");
        }
        assert_eq!(fs::read_to_string(&place)?, "first");
        assert_eq!(fs::read_dir(folder.path())?.count(), 1);
        Ok(())
    }

    #[test]
    fn links_are_followed_and_databases_stay() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let (place, link) = (folder.path().join("rows.csv"), folder.path().join("link"));
        for old in [None, Some("old")] {
            let _ = fs::remove_file(&link);
            std::os::unix::fs::symlink("rows.csv", &link)?;
            if let Some(old) = old {
                fs::write(&place, old)?;
            }
            let file = NewFile::at(&link)?;
            fs::write(file.path(), "new")?;
            file.take_place()?;
            assert_eq!(fs::read_to_string(&place)?, "new");
            assert!(fs::symlink_metadata(&link)?.is_symlink());
        }
        fs::write(&place, b"\0\0\0\0\0\0\0\0DUCK...")?;
        assert!(NewFile::at(&place).is_err() && NewFile::at(&link).is_err());
        assert!(NewFile::replacing(&place).is_ok());
        assert!(NewFile::at(Path::new("/dev/null")).is_err());
        assert!(NewFile::at(&folder.path().join("x.duckdb.wal")).is_err());
        let long = NewFile::at(&folder.path().join("n".repeat(255)))?;
        fs::write(long.path(), "")
    }
}
