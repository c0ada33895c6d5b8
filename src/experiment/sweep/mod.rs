//! Sweeps: an experiment that varies settings and improves nothing (spec 07, 18.1).
//!
//! [`Sweep`] is the block of the file, [`Points`] its combinations as scenarios, [`figures`] what is
//! measured of each, [`run`] and [`resume`] the way through them, [`table`] what comes out.

mod design;
pub mod figures;
mod points;
mod read;
mod runner;
pub mod table;
#[cfg(test)]
mod tests;

pub use design::{Axis, Design, Sweep, Target};
pub use points::Points;
pub use read::{REFUSED_KEYS, read};
pub use runner::{resume, run};

/// Runs that a sweep may have: points times repetitions.
pub const MAX_RUNS: usize = 100_000;
