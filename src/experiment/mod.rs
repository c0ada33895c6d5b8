//! Experiments: improving the policies of some banks of a scenario, round by round (spec 07).

pub mod acceptance;
pub mod analysis;
pub mod asking;
pub mod bundle;
#[cfg(test)]
pub(crate) mod cases;
pub mod constraints;
pub mod convergence;
pub mod extent;
pub mod file;
pub mod history;
pub mod ids;
pub mod isolation;
pub mod laboratory;
pub mod memory;
pub mod outcome;
pub mod policies;
pub mod proposers;
pub mod recorded;
pub mod reply;
pub mod runner;
pub mod sampler;
pub mod sandbox;
pub mod seeds;
pub mod statistics;
pub mod stream;
pub mod sweep;
pub mod trace;
