//! Helpers of the suite.

pub mod expected;
pub mod model_server;
pub mod mutate;
pub mod program;
pub mod runs;
pub mod stored;
pub mod terminal;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use payment_sim::finding::Findings;
use payment_sim::scenario::{self, FileKind, FileText, Files, Format, Overrides, Scenario, ScenarioFile};

/// The folder of the cases.
pub fn cases_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

/// A case: a folder with a scenario and what is expected of it.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: String,
    pub folder: PathBuf,
}

impl Case {
    /// All cases that hold a scenario with its events, or one to be refused, in order of their names.
    pub fn all() -> Vec<Self> {
        let folders = std::fs::read_dir(cases_folder()).expect("the folder of the cases");
        let mut cases: Vec<Self> = folders
            .filter_map(|entry| {
                let folder = entry.ok()?.path();
                let name = folder.file_name()?.to_str()?.to_owned();
                let case = Self { name, folder };
                let is_one = case.has("scenario.yaml") && (case.has("events.jsonl") || case.has("error.txt"));
                is_one.then_some(case)
            })
            .collect();
        cases.sort_by(|one, other| one.name.cmp(&other.name));
        cases
    }

    pub fn has(&self, file: &str) -> bool {
        self.folder.join(file).exists()
    }

    pub fn text(&self, file: &str) -> String {
        std::fs::read_to_string(self.folder.join(file)).expect("a file of the case")
    }

    /// The scenario, or why it is refused.
    pub fn scenario(&self) -> Result<(ScenarioFile, Arc<Scenario>), Findings> {
        let files = Folder(self.folder.clone());
        let (file, findings) =
            scenario::read(&self.text("scenario.yaml"), Format::Yaml, &Overrides::default(), &files);
        let file = file.ok_or(findings)?;
        let resolved = Arc::new(file.resolve()?);
        Ok((file, resolved))
    }
}

/// Files beside a scenario.
pub struct Folder(pub PathBuf);

impl Files for Folder {
    fn read(&self, path: &str, _kind: FileKind) -> Result<FileText, String> {
        let text = std::fs::read_to_string(self.0.join(path)).map_err(|error| error.to_string())?;
        Ok(FileText { name: path.to_owned(), text })
    }
}
