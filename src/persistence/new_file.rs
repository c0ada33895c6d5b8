//! A file that is written beside its place and takes it when it is complete.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::open::log_of;

/// A file in the making. Dropped before it took its place, it leaves nothing behind.
#[derive(Debug)]
pub struct NewFile {
    place: PathBuf,
    path: PathBuf,
    done: bool,
}

impl NewFile {
    /// A file that will stand at this place; nothing is created yet.
    ///
    /// # Errors
    ///
    /// A place without a file name, or that is a folder.
    pub fn at(place: &Path) -> io::Result<Self> {
        let name = place
            .file_name()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "this is not the name of a file"))?;
        if place.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "there is a folder of this name"));
        }
        let mut beside = OsString::from(".");
        beside.push(name);
        beside.push(format!(".{}.part", std::process::id()));
        Ok(Self { place: place.to_owned(), path: place.with_file_name(beside), done: false })
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
}
