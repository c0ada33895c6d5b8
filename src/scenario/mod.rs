//! Scenarios: as written, checked, and resolved for the engine (spec 01).

pub mod model;

pub use model::{
    AmountDistribution, ArrivalBand, ArrivalConfig, Arrivals, Band, Bank, CostRates, Escalation, FilePayment,
    LsmAlgorithm, LsmConfig, Penalty, PriorityDistribution, Queue1Ordering, Scenario, ScenarioAction,
    Schedule, ScheduledEvent, Settings,
};
