//! `db import`: takes over another database, of ours or of the reference.

use std::path::Path;

use crate::cli::args::DbOption;
use crate::cli::database::say_warnings;
use crate::cli::error::{CliError, say};
use crate::cli::output::Output;
use crate::cli::query::until_unwanted;
use crate::money::counted;
use crate::persistence::{Access, PersistenceError, check_importable};

/// Runs the command. A file that does not exist and cannot be imported into is not made in vain: what is
/// wrong with the other file is said first.
pub fn import(file: &Path, prefix: Option<&str>, db: &DbOption) -> Result<(), CliError> {
    let warnings = check_importable(file).map_err(|error| match error {
        PersistenceError::Missing(file) => PersistenceError::NothingToImport(file),
        other => other,
    })?;
    say_warnings(&warnings);
    let database = db.open(Access::Write)?;
    let prefix = prefix.unwrap_or_default();
    let done = until_unwanted(|is_unwanted| database.import(file, prefix, is_unwanted))?;
    say_warnings(&done.warnings);
    let mut output = Output::new();
    output.line(&format!(
        "imported {} with {} and {} into {}",
        counted(done.simulations, "simulation"),
        counted(done.events, "event"),
        counted(done.runs, "run"),
        database.path().display()
    ))?;
    output.finish()?;
    if done.simulations == 0 && done.runs == 0 {
        say("warning: there was nothing to import");
    }
    Ok(())
}
