//! What a sweep varies and how (spec 07, 18.1).

use serde_json::{Map, Value as Json, json};

use super::figures::Figure;
use crate::document::Node;
use crate::scenario::SettingPath;

/// The block `sweep`, checked as far as it can be without the scenario.
#[derive(Clone, Debug, PartialEq)]
pub struct Sweep {
    /// What is varied; at least one axis, no two of the same setting.
    pub vary: Vec<Axis>,
    /// Which values are combined.
    pub design: Design,
    /// Runs of every point, each with a seed of its own.
    pub repetitions: u32,
    /// The figures that are tabulated.
    pub metrics: Vec<Figure>,
}

/// One setting with the values that it takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// What is set.
    pub target: Target,
    /// At least one value.
    pub values: Vec<Node>,
    /// Whether they were written as a range.
    pub is_range: bool,
}

/// What an axis sets.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// A setting of the scenario as resolved.
    Scenario(SettingPath),
    /// A parameter of the tree policy of a bank, or of all banks.
    Policy {
        /// The bank; `None`: all.
        bank: Option<String>,
        /// The parameter.
        parameter: String,
    },
}

/// Which values are combined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Design {
    /// All combinations; the last axis varies fastest.
    Grid,
    /// The k-th values together.
    Zip,
}

impl Design {
    /// Words of files.
    pub const WORDS: [(&'static str, Self); 2] = [("grid", Self::Grid), ("zip", Self::Zip)];

    /// The word of the file.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::WORDS.iter().find(|(_, design)| *design == self).map_or("", |(name, _)| name)
    }
}

impl Target {
    /// The name of what is varied in `sweep_points.settings` and in tables.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Scenario(path) => path.to_string(),
            Self::Policy { bank, parameter } => {
                format!("policy[{}].{parameter}", bank.as_deref().unwrap_or("all"))
            }
        }
    }
}

impl Sweep {
    /// Number of points; `None` if they cannot be counted.
    #[must_use]
    pub fn points(&self) -> Option<usize> {
        match self.design {
            Design::Grid => {
                self.vary.iter().try_fold(1_usize, |all, axis| all.checked_mul(axis.values.len()))
            }
            Design::Zip => self.vary.first().map(|axis| axis.values.len()),
        }
    }

    /// Number of runs: points times repetitions; `None` if they cannot be counted.
    #[must_use]
    pub fn runs(&self) -> Option<usize> {
        self.points()?.checked_mul(self.repetitions as usize)
    }

    /// The number of the value that each axis has at a point.
    #[must_use]
    pub fn coordinates(&self, point: usize) -> Vec<usize> {
        if self.design == Design::Zip {
            return vec![point; self.vary.len()];
        }
        let mut rest = point;
        let mut coordinates: Vec<usize> = Vec::with_capacity(self.vary.len());
        for axis in self.vary.iter().rev() {
            let length = axis.values.len().max(1);
            coordinates.push(rest % length);
            rest /= length;
        }
        coordinates.reverse();
        coordinates
    }

    /// What is varied to its value at a point.
    #[must_use]
    pub fn settings(&self, point: usize) -> Map<String, Json> {
        let values = self.vary.iter().zip(self.coordinates(point));
        values.map(|(axis, at)| (axis.target.label(), axis.values[at].to_json())).collect()
    }

    /// The block as resolved: ranges as their values, defaults filled in.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let axis = |axis: &Axis| {
            let mut object = match &axis.target {
                Target::Scenario(path) => json!({"scenario": path.to_string()}),
                Target::Policy { bank, parameter } => {
                    json!({"policy": bank.as_deref().unwrap_or("all"), "parameter": parameter})
                }
            };
            object["values"] = axis.values.iter().map(Node::to_json).collect();
            object
        };
        json!({
            "vary": self.vary.iter().map(axis).collect::<Vec<_>>(),
            "design": self.design.name(),
            "repetitions": self.repetitions,
            "metrics": self.metrics.iter().map(|figure| figure.name()).collect::<Vec<_>>(),
        })
    }
}
