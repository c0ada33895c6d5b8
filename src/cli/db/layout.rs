//! `db init` and `db migrate`: files with the current layout.

use crate::cli::args::DbOption;
use crate::cli::error::{CliError, say};
use crate::persistence::{Access, Database, schema};

/// Creates an empty file.
pub fn init(db: &DbOption) -> Result<(), CliError> {
    let database = Database::create(db.path(Access::Write)?)?;
    say(&format!("{} created, layout {}", database.path().display(), schema::VERSION));
    Ok(())
}

/// Brings an older file of ours to the current layout; opening for writing does it.
pub fn migrate(db: &DbOption) -> Result<(), CliError> {
    let database = db.open_existing()?;
    let (path, version) = (database.path().display(), schema::VERSION);
    match database.migrated_from() {
        Some(from) => say(&format!("{path} migrated from layout {from} to {version}")),
        None => say(&format!("{path} has layout {version} already")),
    }
    Ok(())
}
