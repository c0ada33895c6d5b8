//! Policies as text.

use crate::explorer::format::iteration;

/// Which policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyOf {
    /// A file, or `library:NAME`.
    File(String),
    /// What was evaluated for a bank in an iteration.
    Evaluated { run: String, iteration: u64, bank: String },
    /// What was proposed for a bank in an iteration.
    Proposed { run: String, iteration: u64, bank: String },
    /// A bank's policy in a recorded simulation.
    Simulated { simulation: String, bank: String },
}

impl PolicyOf {
    /// Which one it is, in words.
    pub fn title(&self) -> String {
        match self {
            Self::File(name) => name.clone(),
            Self::Evaluated { iteration: index, bank, .. } => {
                format!("{bank} in iteration {}", iteration(*index))
            }
            Self::Proposed { iteration: index, bank, .. } => {
                format!("{bank}, proposed in iteration {}", iteration(*index))
            }
            Self::Simulated { bank, .. } => format!("{bank} in this simulation"),
        }
    }
}

/// What a line of a policy is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Heading,
    Plain,
    /// A node that decides.
    Decision,
    Note,
}

/// A line of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyLine {
    pub text: String,
    pub role: Role,
}

/// A policy in the three ways to read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyText {
    pub trees: Vec<PolicyLine>,
    pub english: Vec<PolicyLine>,
    pub json: Vec<PolicyLine>,
    /// Others beside it: the banks of its simulation or iteration.
    pub banks: Vec<String>,
}
