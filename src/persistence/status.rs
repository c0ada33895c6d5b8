//! How far a simulation or a run of an experiment has come (spec 06, 2.2), and why it was run.

use std::fmt;

/// Where a simulation or a run of an experiment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// It goes on.
    Running,
    /// It came to its end. Final.
    Completed,
    /// An error ended it.
    Failed,
    /// The user stopped it.
    Cancelled,
    /// Its process died.
    Interrupted,
}

/// Why a simulation was run (spec 07, 17).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// By itself, from the command line or the explorer.
    Cli,
    /// Context run.
    Init,
    /// Evaluation of the policies in force.
    Eval,
    /// The policy in force, in a comparison.
    Old,
    /// The proposed policy, in a comparison.
    New,
    /// Closing evaluation.
    Final,
    /// Point of a sweep.
    Sweep,
}

macro_rules! names {
    ($type:ident: $($variant:ident = $name:literal),+ $(,)?) => {
        impl $type {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name as stored.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// What a stored name means.
            #[must_use]
            pub fn find(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.name() == name)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.name())
            }
        }
    };
}

names! { Status: Running = "running", Completed = "completed", Failed = "failed", Cancelled = "cancelled",
Interrupted = "interrupted" }

names! { Purpose: Cli = "cli", Init = "init", Eval = "eval", Old = "old", New = "new", Final = "final",
Sweep = "sweep" }
