use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// The files of a case.
struct Beside<'a>(&'a Path);

impl Files for Beside<'_> {
    fn read(&self, path: &str, _kind: FileKind) -> Result<FileText, String> {
        let text = fs::read_to_string(self.0.join(path)).map_err(|error| error.to_string())?;
        Ok(FileText { name: path.to_owned(), text })
    }
}

/// The folders of `tests/cases` that hold a scenario.
fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|case| case.join("scenario.yaml").exists())
        .collect();
    cases.sort();
    assert!(cases.len() > 300, "{} cases", cases.len());
    cases
}

fn read_case(case: &Path) -> (Option<ScenarioFile>, Findings) {
    let text = fs::read_to_string(case.join("scenario.yaml")).unwrap();
    read(&text, Format::Yaml, &Overrides::default(), &Beside(case))
}

#[test]
fn every_case_is_accepted_or_refused_as_it_must_be() {
    let mut wrong = Vec::new();
    for case in cases() {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let error = fs::read_to_string(case.join("error.txt")).ok();
        let refused_on_reading = error.as_ref().is_some_and(|error| !error.contains("the run ends"));
        let (file, findings) = read_case(&case);
        if file.is_none() != refused_on_reading {
            wrong.push(format!("{name}: {:?}", findings.0.first().map(ToString::to_string)));
        }
        if let Some(file) = file {
            assert_reads_back(&file);
            if let Err(findings) = file.resolve() {
                wrong.push(format!("{name}: does not resolve: {:?}", findings.0));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_refusal_names_its_place() {
    for case in cases() {
        let (file, findings) = read_case(&case);
        for finding in findings.0.iter().filter(|_| file.is_none()) {
            assert!(finding.position.is_some(), "{}: {finding}", case.display());
        }
    }
}
