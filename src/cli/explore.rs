//! `explore`, also without a command: the terminal UI.

use std::fs;
use std::io::{self, IsTerminal as _};

use super::args::ExploreArgs;
use super::error::CliError;
use super::folders;
use super::settings::Settings;
use crate::explorer::{self, ExplorerError, ExplorerOptions};
use crate::persistence::{Access, PersistenceError};

/// Opens the explorer; without a terminal it says what to do instead. A key script needs none.
pub fn explore(args: &ExploreArgs) -> Result<(), CliError> {
    if let Some(file) = &args.keys {
        let script = fs::read_to_string(file).map_err(|error| {
            CliError::failed(format!("key script `{}` cannot be read: {error}", file.display()))
        })?;
        return explorer::play(&options(args)?, &script, &mut io::stdout()).map_err(refused);
    }
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return Err(CliError::usage(
            "the explorer needs a terminal",
            "without one use `run`, `replay`, `experiment`, `db` or `library`; `--help` lists all commands",
        ));
    }
    explorer::run(&options(args)?).map_err(refused)
}

/// Why it did not open; what cannot be written can still be looked at.
fn refused(error: ExplorerError) -> CliError {
    let is_read_only = matches!(error, ExplorerError::Database(PersistenceError::ReadOnly { .. }));
    match CliError::from(error) {
        CliError::Failed { message, hint: Some(hint) } if is_read_only => {
            CliError::Failed { message, hint: Some(format!("look at it with `--read-only`, or {hint}")) }
        }
        other => other,
    }
}

fn options(args: &ExploreArgs) -> Result<ExplorerOptions, CliError> {
    let access = if args.read_only { Access::Read } else { Access::Write };
    let settings = Settings::load(args.config.as_deref())?;
    let look = settings.explorer.clone();
    Ok(ExplorerOptions {
        database: args.db.path_with(access, || Ok(settings))?,
        read_only: args.read_only,
        ascii: args.ascii || look.ascii,
        no_color: look.no_color || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
        theme: look.theme,
        keys: look.keys,
        drafts: folders::data().map(|folder| folder.join("drafts")),
        open: args.open.clone(),
    })
}
