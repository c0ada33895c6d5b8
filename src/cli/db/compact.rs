//! `db compact`: the file without the space of deleted rows.

use crate::cli::args::DbOption;
use crate::cli::database::say_warnings;
use crate::cli::error::{CliError, say};
use crate::cli::query::until_unwanted;
use crate::money::grouped;
use crate::persistence::{Access, compact as rewrite};

/// Rewrites the file.
pub fn compact(db: &DbOption) -> Result<(), CliError> {
    let path = db.path(Access::Write)?;
    let done = until_unwanted(|is_unwanted| rewrite(&path, is_unwanted))?;
    say_warnings(&done.warnings);
    let (before, after) = (grouped(done.before), grouped(done.after));
    say(&format!("{}: {before} bytes before, {after} bytes now", path.display()));
    Ok(())
}
