//! What can be launched is known by its content.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

/// The experiment with its keys in quotes, as in JSON.
#[test]
fn an_experiment_is_one_however_its_keys_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = draft("library:two-period", Some(folder.path())).unwrap();
    let text = std::fs::read_to_string(&file).unwrap();
    let quoted = text.lines().map(|line| match line.split_once(':') {
        Some((key, rest)) if key.starts_with(char::is_alphabetic) => format!("\"{key}\" :{rest}\n"),
        _ => format!("{line}\n"),
    });
    std::fs::write(&file, quoted.collect::<String>()).unwrap();
    let subject = inspect(&file.display().to_string()).unwrap();
    assert_eq!((subject.kind, subject.name.as_str()), (Kind::Experiment, "two-period"));
    let policy = library::of_kind(library::Kind::Policy).next().unwrap();
    assert!(inspect(&policy.link()).is_err_and(|problem| problem.contains("is a policy")));
}
