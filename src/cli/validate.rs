//! `validate`: files of any kind, each known by what it holds.

use super::args::{ResultForm, ValidateArgs, ValidatePolicyArgs};
use super::error::CliError;
use super::{experiment, policy, scenario};
use crate::library::Kind;
use crate::sources;

/// Runs the command: every file is looked at, whatever the others say.
pub fn validate(args: &ValidateArgs) -> Result<(), CliError> {
    let mut all_valid = true;
    for file in &args.files {
        match validate_one(file) {
            Ok(()) => {}
            Err(gone @ CliError::ReaderGone) => return Err(gone),
            Err(error) => {
                error.report();
                all_valid = false;
            }
        }
    }
    if all_valid { Ok(()) } else { Err(CliError::Reported) }
}

fn validate_one(file: &str) -> Result<(), CliError> {
    match sources::kind_of(file)? {
        Kind::Scenario => scenario::validate(file, false, ResultForm::Text),
        Kind::Experiment => experiment::validate(file, false),
        Kind::Policy => policy::validate(&ValidatePolicyArgs {
            file: file.to_owned(),
            format: ResultForm::Text,
            verbose: false,
            functional_tests: false,
            scenario: None,
        }),
    }
}
