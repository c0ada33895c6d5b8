//! The files that a scenario names, read from folders (spec 01, 2.7 and 2.12).

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::scenario::{FileKind, FileText, Files};

/// Files beside a scenario file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioFolder(PathBuf);

impl ScenarioFolder {
    /// The folder of a scenario file.
    #[must_use]
    pub fn of(scenario_file: &Path) -> Self {
        Self(scenario_file.parent().unwrap_or(Path::new("")).to_owned())
    }

    /// A policy may stand in the working directory, in the folder, or in a parent of it, nearest first.
    fn places(&self, path: &str, kind: FileKind) -> Vec<PathBuf> {
        if kind == FileKind::Payments || Path::new(path).is_absolute() {
            return vec![self.0.join(path)];
        }
        let folder = std::path::absolute(&self.0).unwrap_or_else(|_| self.0.clone());
        let beside = folder.ancestors().map(|folder| folder.join(path));
        [PathBuf::from(path)].into_iter().chain(beside).collect()
    }
}

impl Files for ScenarioFolder {
    fn read(&self, path: &str, kind: FileKind) -> Result<FileText, String> {
        for place in self.places(path, kind) {
            match fs::read(&place) {
                Ok(bytes) => {
                    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
                    return Ok(FileText { name: path.to_owned(), text });
                }
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        Err(match kind {
            FileKind::Policy => {
                "it is neither in the working directory nor in the scenario's folder or above it".to_owned()
            }
            FileKind::Payments => {
                "there is no such file; it is looked for from the scenario's folder".to_owned()
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    #[test]
    fn a_policy_is_found_beside_or_above_the_scenario() -> Result<(), Box<dyn Error>> {
        let root = tempfile::tempdir()?;
        let deep = root.path().join("a/b");
        fs::create_dir_all(&deep)?;
        fs::write(root.path().join("p.json"), "far")?;
        let files = ScenarioFolder::of(&deep.join("scenario.yaml"));
        assert_eq!(files.read("p.json", FileKind::Policy)?.text, "far");
        fs::write(root.path().join("a/p.json"), "near")?;
        assert_eq!(files.read("p.json", FileKind::Policy)?.text, "near");
        assert!(files.read("p.json", FileKind::Payments).is_err());
        assert!(files.read("none.json", FileKind::Policy).is_err());
        let absolute = root.path().join("p.json");
        assert_eq!(files.read(&absolute.to_string_lossy(), FileKind::Policy)?.text, "far");
        Ok(())
    }
}
