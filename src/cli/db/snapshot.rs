//! `db snapshot`: a consistent copy, also of a file that is being written.

use std::path::Path;

use crate::cli::args::DbOption;
use crate::cli::database::say_warnings;
use crate::cli::error::{CliError, say};
use crate::cli::query::until_unwanted;
use crate::money::grouped;
use crate::persistence::{Access, snapshot as copy};

/// Writes the copy.
pub fn snapshot(db: &DbOption, out: &Path) -> Result<(), CliError> {
    let path = db.path(Access::Read)?;
    say_warnings(&until_unwanted(|is_unwanted| copy(&path, out, is_unwanted))?);
    let size = std::fs::metadata(out).map_or(0, |metadata| metadata.len());
    say(&format!("copy written to {} ({} bytes)", out.display(), grouped(size)));
    Ok(())
}
