//! `experiment`: check, run and read experiments (spec 07, 18).

mod files;
mod live;
mod recorded;
mod run;

use std::path::Path;

use super::args::{DbOption, ExperimentArgs, ExperimentCommand};
use super::database::from_environment;
use super::error::CliError;
use crate::persistence::{Access, Database};

/// Where experiments are stored that name no database.
const RESULTS: &str = "results/experiments.db";

/// Runs the command.
pub fn experiment(args: &ExperimentArgs) -> Result<(), CliError> {
    match &args.command {
        ExperimentCommand::Validate { file, strict } => files::validate(file, *strict),
        ExperimentCommand::Info { file } => files::info(file),
        ExperimentCommand::List { folder } => files::list(folder),
        ExperimentCommand::Run(args) => run::run(args),
        ExperimentCommand::Replay { run_id, db, start, end, verbose } => {
            recorded::replay(run_id, &open_recorded(db)?, (*start, *end), verbose)
        }
        ExperimentCommand::Results { run_id, db, experiment, limit, json } => {
            let database = open_recorded(db)?;
            match run_id {
                Some(run_id) => recorded::summary(run_id, &database, *json),
                None => recorded::list(&database, experiment.as_deref(), *limit, *json),
            }
        }
    }
}

/// The database of recorded runs: as given, of the environment, `results/experiments.db`, the default.
fn open_recorded(option: &DbOption) -> Result<Database, CliError> {
    let results = Path::new(RESULTS);
    if option.db.is_none() && from_environment().is_none() && results.exists() {
        return Ok(Database::open(results, Access::Read)?);
    }
    option.open(Access::Read)
}
