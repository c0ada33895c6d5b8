//! Versions of the layout (spec 06, 1.3). Only appended to; a released one never changes.

use super::{VERSION, print};

/// One step from a version to the next.
#[derive(Debug)]
pub(in crate::persistence) struct Migration {
    /// The version after it.
    pub version: i32,
    /// What it changes.
    pub description: &'static str,
    /// The statements.
    pub sql: fn() -> String,
}

const MIGRATIONS: &[Migration] = &[Migration {
    version: VERSION,
    description: "layout of simulations, experiments, checkpoints and the explorer's own tables",
    sql: print::sql,
}];

/// The steps that a file of a version still needs; 0 is an empty file.
pub(in crate::persistence) fn pending(version: i32) -> impl Iterator<Item = &'static Migration> {
    MIGRATIONS.iter().filter(move |migration| migration.version > version)
}
