//! Scenario files, rule by rule.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed test may panic")]

mod accepted;
mod cases;
mod payments;
mod refused;
mod robust;

use std::collections::HashMap;

use super::*;
use crate::finding::Findings;

/// Files by their paths.
#[derive(Default)]
struct Shelf(HashMap<&'static str, String>);

impl Files for Shelf {
    fn read(&self, path: &str, _kind: FileKind) -> Result<FileText, String> {
        let text = self.0.get(path).cloned().ok_or("not on the shelf")?;
        Ok(FileText { name: path.to_owned(), text })
    }
}

/// Two banks, A with whatever is given (indented by 4), and further root keys.
fn two_banks(of_bank_a: &str, at_root: &str) -> String {
    let of_bank_a: String = of_bank_a.lines().map(|line| format!("    {line}\n")).collect();
    format!(
        "simulation: {{ticks_per_day: 10, num_days: 2, rng_seed: 42}}\n\
         agents:\n  - id: A\n    opening_balance: 1000\n{of_bank_a}\
         \x20 - id: B\n    opening_balance: 2000\n{at_root}\n"
    )
}

fn read_text(text: &str) -> (Option<ScenarioFile>, Findings) {
    read(text, Format::Yaml, &Overrides::default(), &Shelf::default())
}

/// A scenario that is accepted without a finding.
fn accepted(text: &str) -> ScenarioFile {
    let (file, findings) = read_text(text);
    assert_eq!(findings, Findings::default(), "{text}");
    file.unwrap()
}

/// The one error of a refused scenario, as it is shown.
fn error_of(text: &str) -> String {
    let (file, findings) = read_text(text);
    assert!(file.is_none(), "accepted: {text}");
    let errors: Vec<String> = findings.errors().map(ToString::to_string).collect();
    assert_eq!(errors.len(), 1, "{errors:?}\n{text}");
    errors.into_iter().next().unwrap()
}

fn warnings_of(text: &str) -> Vec<String> {
    let (file, findings) = read_text(text);
    assert!(file.is_some(), "{findings:?}");
    findings.0.iter().map(ToString::to_string).collect()
}

/// The canonical document reads back to the same scenario and writes the same text.
fn assert_reads_back(file: &ScenarioFile) {
    let text = file.to_json();
    let (again, findings) = read(&text, Format::Json, &Overrides::default(), &NoFiles);
    assert!(!findings.has_errors(), "{findings:?}\n{text}");
    let again = again.unwrap();
    assert_eq!(&again, file);
    assert_eq!(again.to_json(), text);
}
