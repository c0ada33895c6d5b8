//! Scenarios: as written, checked, and resolved for the engine (spec 01).
//!
//! [`read`] turns the text of a file into a [`ScenarioFile`], [`ScenarioFile::resolve`] turns that
//! into the [`Scenario`] that the engine runs, [`ScenarioFile::to_json`] into the document that is
//! stored with every run. What reads is what runs: nothing that resolves is ignored by the engine.

mod check;
mod file;
pub mod model;
mod policy;
mod read;
mod resolve;
mod setting;
mod write;

pub use file::{
    Agent, DEFAULT_HAIRCUT, Limits, PriorityEscalation, ScenarioFile, UnknownBank, default_cost_rates,
    default_lsm_config,
};
pub use model::{
    AmountDistribution, ArrivalBand, ArrivalConfig, Arrivals, Band, Bank, CostRates, Escalation, FilePayment,
    LsmAlgorithm, LsmConfig, Penalty, PriorityDistribution, Queue1Ordering, Scenario, ScenarioAction,
    Schedule, ScheduledEvent, Settings,
};
pub use policy::{Policy, PolicySpec};
pub use read::{FileKind, FileText, Files, Format, NoFiles, Overrides, read, read_node};
pub use setting::{BadPath, SettingPath};

#[cfg(test)]
mod tests;
