//! Versions of the layout (spec 06, 1.3).
//!
//! A new file is made from the registry, at the current version. An older file goes step by step; the list
//! of steps is only appended to, and a released step never changes. A test holds a file of every released
//! version against a new one, so that both ways lead to the same layout.

use super::{VERSION, print};

/// How a file gets to a version.
#[derive(Debug)]
pub(in crate::persistence) struct Migration {
    /// The version after it.
    pub version: i32,
    /// What it changes.
    pub description: &'static str,
    /// The statements.
    pub sql: fn() -> String,
}

/// The versions that a program knows.
#[derive(Debug)]
pub(in crate::persistence) struct Versions {
    /// Makes the current layout in a file without tables.
    pub creation: Migration,
    /// Steps from the version before to the next, in order.
    pub steps: &'static [Migration],
}

/// The versions of this program.
pub(in crate::persistence) const VERSIONS: Versions = Versions {
    creation: Migration {
        version: VERSION,
        description: "layout of simulations, experiments, checkpoints and the explorer's own tables",
        sql: print::sql,
    },
    steps: &[],
};

impl Versions {
    /// The version that is written.
    pub(in crate::persistence) const fn current(&self) -> i32 {
        self.creation.version
    }

    /// What a file of a version still needs; 0 is a file without tables.
    pub(in crate::persistence) fn pending(&self, version: i32) -> impl Iterator<Item = &Migration> {
        let creation = (version == 0).then_some(&self.creation);
        let steps = self.steps.iter().filter(move |step| version > 0 && step.version > version);
        creation.into_iter().chain(steps)
    }
}
