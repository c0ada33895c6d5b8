//! payment-sim: a simulator of interbank real-time gross settlement (RTGS).

pub mod cli;
pub mod costs;
pub mod document;
pub mod engine;
pub mod event;
pub mod experiment;
pub mod explorer;
pub mod finding;
pub mod ids;
pub mod library;
pub mod liquidity;
pub mod metrics;
pub mod money;
pub mod persistence;
pub mod policy;
pub mod rates;
pub mod replay;
pub mod rng;
pub mod run;
pub mod scenario;
pub mod sources;
pub mod text;
pub mod time;
pub mod transcript;
