//! payment-sim: a simulator of interbank real-time gross settlement (RTGS).

pub mod costs;
pub mod document;
pub mod event;
pub mod experiment;
pub mod finding;
pub mod ids;
pub mod money;
pub mod persistence;
pub mod policy;
pub mod rng;
pub mod scenario;
pub mod text;
pub mod time;
