//! The command line: one table of commands, from which help, completions and manual pages come
//! (spec 06, 7). One file per command; every command ends in one exit status.

mod args;
mod database;
mod db;
mod error;
mod experiment;
mod explore;
mod export;
mod folders;
mod interrupt;
mod library;
mod log;
mod manual;
mod output;
mod policy;
mod progress;
mod query;
mod replay;
mod run;
mod scenario;
mod settings;
mod show;
mod timings;
mod validate;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;

use crate::table;
use args::{Cli, Command};
use error::CliError;

/// Runs the program with its arguments and gives its exit status.
#[must_use]
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to standard output with 0, usage errors to standard error with 2.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    log::start();
    interrupt::survive_full_files();
    match dispatch(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => error.report(),
    }
}

fn dispatch(cli: Cli) -> Result<(), CliError> {
    match cli.command {
        None => explore::explore(&cli.explore),
        Some(Command::Explore(args)) => explore::explore(&args),
        Some(Command::Run(args)) => run::run(&args),
        Some(Command::Replay(args)) => replay::replay(&args),
        Some(Command::Db(args)) => db::db(&args),
        Some(Command::Export(args)) => export::export(&args),
        Some(Command::Validate(args)) => validate::validate(&args),
        Some(Command::Experiment(args)) => experiment::experiment(&args),
        Some(Command::Scenario(args)) => scenario::scenario(&args),
        Some(Command::Policy(args)) => policy::policy(&args),
        Some(Command::Cost(args)) => policy::cost(&args),
        Some(Command::ValidatePolicy(args)) => policy::validate(&args),
        Some(Command::PolicySchema(args)) => policy::schema(&args),
        Some(Command::CostSchema(args)) => policy::cost_schema(&args),
        Some(Command::Library(args)) => library::library(&args),
        Some(Command::Completions(args)) => manual::completions(&args),
        Some(Command::Man(args)) => manual::man(&args),
    }
}
