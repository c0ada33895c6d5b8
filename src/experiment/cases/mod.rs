//! The shared cases `experiment-*` (spec 07, 26): every folder of `tests/cases` is held against this module.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a case that does not hold fails here"
)]

mod figures;
mod files;
pub mod loops;
mod simulations;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::document;

/// One folder.
pub struct Case {
    /// Its name without the prefix `experiment-`.
    pub name: String,
    folder: PathBuf,
    /// The content of `case.yaml`.
    pub input: Value,
}

impl Case {
    /// The folders of a kind; with `error.txt` or without, as asked.
    pub fn of_kind(kind: &str, refused: bool) -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
        let mut cases: Vec<Self> = fs::read_dir(&root)
            .expect("the cases are in tests/cases")
            .filter_map(|entry| {
                let folder = entry.unwrap().path();
                let name = folder.file_name()?.to_str()?.strip_prefix("experiment-")?.to_owned();
                let input = yaml(&fs::read_to_string(folder.join("case.yaml")).ok()?);
                let case = Self { name, folder, input };
                (case.input["kind"] == kind && case.has("error.txt") == refused).then_some(case)
            })
            .collect();
        cases.sort_by(|a, b| a.name.cmp(&b.name));
        assert!(!cases.is_empty(), "there are cases of kind {kind}");
        cases
    }

    /// Whether a file is there.
    pub fn has(&self, file: &str) -> bool {
        self.path(file).exists()
    }

    /// The path of a file.
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// The text of a file.
    pub fn text(&self, file: &str) -> String {
        fs::read_to_string(self.path(file)).unwrap_or_else(|error| panic!("{}: {file}: {error}", self.name))
    }

    /// What is expected.
    pub fn expected(&self) -> Value {
        serde_json::from_str(&self.text("expected.json")).unwrap()
    }

    /// Fails unless everything expected is there with its value.
    pub fn holds(&self, got: &Value) {
        if let Err(difference) = same(&self.expected(), got, "") {
            panic!("{}: {difference}", self.name);
        }
    }
}

/// A YAML text as JSON.
pub fn yaml(text: &str) -> Value {
    document::parse_yaml(text).unwrap().to_json()
}

/// The rule of section 26: keys expected are there, numbers compare by value.
pub fn same(want: &Value, got: &Value, path: &str) -> Result<(), String> {
    match (want, got) {
        (Value::Object(want), Value::Object(members)) => want.iter().try_for_each(|(key, want)| {
            let got = members.get(key).ok_or_else(|| format!("{path}.{key} is missing"))?;
            same(want, got, &format!("{path}.{key}"))
        }),
        (Value::Array(want), Value::Array(items)) if want.len() == items.len() => want
            .iter()
            .zip(items)
            .enumerate()
            .try_for_each(|(i, (want, got))| same(want, got, &format!("{path}[{i}]"))),
        (Value::Array(want), Value::Array(items)) => {
            Err(format!("{path}: expected {} elements, found {}", want.len(), items.len()))
        }
        (Value::Number(a), Value::Number(b)) if numbers_agree(a, b) => Ok(()),
        (want, got) if want == got => Ok(()),
        (want, got) => Err(format!("{path}: expected {want}, found {got}")),
    }
}

fn numbers_agree(a: &serde_json::Number, b: &serde_json::Number) -> bool {
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => a == b,
        _ => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            a == b || (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
        }
    }
}
