//! `explore`, also without a command: the terminal UI.

use std::io::{self, IsTerminal as _};

use super::args::ExploreArgs;
use super::error::CliError;
use super::settings::Settings;
use crate::explorer::{self, ExplorerOptions};
use crate::persistence::Access;

/// Opens the explorer; without a terminal it says what to do instead.
pub fn explore(args: &ExploreArgs) -> Result<(), CliError> {
    if !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        return Err(CliError::usage(
            "the explorer needs a terminal",
            "without one use `run`, `replay`, `experiment`, `db` or `library`; `--help` lists all commands",
        ));
    }
    let access = if args.read_only { Access::Read } else { Access::Write };
    let settings = Settings::load(args.config.as_deref())?;
    let look = settings.explorer.clone();
    let options = ExplorerOptions {
        database: args.db.path_with(access, || Ok(settings))?,
        read_only: args.read_only,
        ascii: args.ascii || look.ascii,
        no_color: look.no_color || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
    };
    explorer::run(options).map_err(CliError::from)
}
