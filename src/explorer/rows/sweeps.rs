//! Sweeps and their points.

use super::{Row, RunRow};

/// A sweep with its points.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepDetail {
    pub run: RunRow,
    /// What is varied.
    pub axes: Vec<String>,
    /// The figures that are tabulated.
    pub figures: Vec<String>,
    pub points: Vec<PointRow>,
    /// Why it ended.
    pub reason: Option<String>,
}

/// A point of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct PointRow {
    pub point: u64,
    /// The value on each axis.
    pub settings: Vec<String>,
    /// Runs that ended well, of all: `3 of 5`.
    pub progress: String,
    pub failed: usize,
    pub pending: usize,
    /// Why the first that failed did.
    pub error: Option<String>,
    /// Each figure: mean and standard error as text.
    pub shown: Vec<String>,
    /// Each figure's mean as charts have it: in hundredths, as money is.
    pub means: Vec<Option<f64>>,
}

impl Row for PointRow {
    type Key = u64;

    fn key(&self) -> u64 {
        self.point
    }
}

/// How many runs a sweep has, and over what.
#[derive(Clone, Debug, PartialEq)]
pub struct SweepSize {
    pub points: u64,
    pub repetitions: u64,
    pub axes: Vec<String>,
}
