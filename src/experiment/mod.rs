//! Experiments: improving the policies of some banks of a scenario, round by round (spec 07).

pub mod acceptance;
pub mod analysis;
#[cfg(test)]
mod cases;
pub mod constraints;
pub mod convergence;
pub mod file;
pub mod history;
pub mod ids;
pub mod isolation;
pub mod policies;
pub mod reply;
pub mod sampler;
pub mod seeds;
pub mod statistics;
