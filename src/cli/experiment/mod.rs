//! `experiment`: check, run and read experiments (spec 07, 18).

mod audit;
mod bundle;
mod chart;
mod compare;
mod export;
mod info;
mod list;
mod live;
mod points;
mod policy_evolution;
mod replay;
mod results;
mod resume;
mod run;
mod template;
mod validate;

use std::path::{Path, PathBuf};

use super::args::{ExperimentArgs, ExperimentCommand, RecordedDbOption};
use super::database::{from_environment, open_warned};
use super::error::CliError;
use crate::experiment::runner::ExperimentError;
use crate::persistence::{Access, Database, ExperimentRow, PersistenceError, Reader};

pub use validate::validate;

/// Where experiments are stored that name no database.
const RESULTS: &str = "results/experiments.db";

/// Runs the command.
pub fn experiment(args: &ExperimentArgs) -> Result<(), CliError> {
    match &args.command {
        ExperimentCommand::Validate { file, strict } => validate(file, *strict),
        ExperimentCommand::Info { file, json } => info::info(file, *json),
        ExperimentCommand::List { folder, json } => list::list(folder, *json),
        ExperimentCommand::Template { output } => template::template(output.as_deref()),
        ExperimentCommand::Run(args) => run::run(args),
        ExperimentCommand::Resume(args) => resume::resume(args),
        ExperimentCommand::Rerun(args) => resume::rerun(args),
        ExperimentCommand::Bundle(args) => bundle::bundle(args),
        ExperimentCommand::Replay(args) => replay::replay(args),
        ExperimentCommand::Results(args) => results::results(args),
        ExperimentCommand::PolicyEvolution(args) => policy_evolution::policy_evolution(args),
        ExperimentCommand::Chart(args) => chart::chart(args),
        ExperimentCommand::Compare(args) => compare::compare(args),
        ExperimentCommand::Export(args) => export::export(args),
    }
}

/// The database of recorded runs: as given, of the environment, `results/experiments.db`, the default.
fn open_recorded(option: &RecordedDbOption) -> Result<Database, CliError> {
    open_warned(&recorded_path(option)?, Access::Read)
}

/// The same for going on with what it holds.
fn open_for_more(option: &RecordedDbOption) -> Result<Database, CliError> {
    let path = recorded_path(option)?;
    if !path.exists() {
        return Err(PersistenceError::Missing(path).into());
    }
    open_warned(&path, Access::Write)
}

fn recorded_path(option: &RecordedDbOption) -> Result<PathBuf, CliError> {
    let results = Path::new(RESULTS);
    if option.db.is_none() && from_environment().is_none() && results.exists() {
        return Ok(results.to_owned());
    }
    option.general().path(Access::Read)
}

/// The row of a run that must be there.
fn recorded(reader: &Reader, run_id: &str) -> Result<ExperimentRow, CliError> {
    reader.experiment(run_id)?.ok_or_else(|| reader.database().unknown_run(run_id).into())
}

/// A command of `experiment` as it can be typed, on this database.
fn command(words: &[&str], database: &Path) -> String {
    let database = database.display().to_string();
    let words = words.iter().copied().chain(["--db", &database]).map(quoted);
    format!("payment-sim experiment {}", words.collect::<Vec<_>>().join(" "))
}

/// A word as a shell takes it for one.
pub fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "-_./:=,+@%".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Why a recorded run cannot go on, with the command that does what can be done instead.
fn of_run(error: ExperimentError, run_id: &str, database: &Path) -> CliError {
    let hint = match &error {
        ExperimentError::Completed(run) => {
            format!("`{}` runs the experiment once more", command(&["rerun", run], database))
        }
        ExperimentError::OtherVersion { run, .. } => {
            let resume = command(&["resume", run, "--force"], database);
            format!("`{resume}` goes on all the same, and the record says so")
        }
        _ => return CliError::of_experiment(error, run_id),
    };
    CliError::Failed { message: error.to_string(), hint: Some(hint) }
}

/// A range of iterations, ends included; both ends may be open.
fn range(start: Option<u32>, end: Option<u32>) -> Result<(u32, u32), CliError> {
    let (first, last) = (start.unwrap_or(0), end.unwrap_or(u32::MAX));
    if first > last {
        return Err(CliError::failed(format!("the first iteration {first} lies behind the last one {last}")));
    }
    Ok((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_is_shown_can_be_typed() {
        let shown = command(&["results", "a b", "--points"], Path::new("runs/x'y.duckdb"));
        assert_eq!(shown, r"payment-sim experiment results 'a b' --points --db 'runs/x'\''y.duckdb'");
        assert_eq!(quoted("game-20250101-000000-00ff00"), "game-20250101-000000-00ff00");
    }
}
