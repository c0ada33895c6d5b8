//! Scenarios to store, and simulations of them.

use std::path::PathBuf;
use std::sync::Arc;

use crate::engine::Simulation;
use crate::event::Event;
use crate::persistence::{
    Access, Database, PolicyAuthor, PolicySnapshot, SimulationCompletion, SimulationPersistenceProvider,
    SimulationStart, TickRecord, Ticket,
};
use crate::scenario::{Format, NoFiles, Overrides, Scenario, ScenarioFile, read};
use crate::time::Tick;

/// A file in a folder that goes with it.
pub(super) struct Place {
    pub folder: tempfile::TempDir,
    pub path: PathBuf,
}

impl Place {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.duckdb");
        Self { folder, path }
    }

    pub(super) fn open(&self) -> Database {
        Database::open(&self.path, Access::Write).unwrap()
    }
}

/// Three banks with random payments, a queue, offsets, registers, costs and days of ten ticks.
pub(super) fn scenario_file(days: u64, rate: f64) -> ScenarioFile {
    let bank = |id: &str, policy: &str| {
        format!(
            "  - id: {id}\n    opening_balance: 60000\n    unsecured_cap: 20000\n    policy: {policy}\n    \
             arrival_config:\n      rate_per_tick: {rate}\n      \
             amount_distribution: {{type: Uniform, min: 5000, max: 30000}}\n      \
             counterparty_weights: {{BANK_A: 1.0, BANK_B: 1.0, BANK_C: 1.0}}\n      deadline_range: [2, 8]\n      priority: 5\n      divisible: false\n"
        )
    };
    let text = format!(
        "simulation:\n  ticks_per_day: 10\n  num_days: {days}\n  rng_seed: 18446744073709551615\n\
         agents:\n{}{}{}",
        bank("BANK_A", "{type: Fifo}"),
        bank("BANK_B", "{type: Deadline, urgency_threshold: 3}"),
        bank("BANK_C", "{type: LiquidityAware, target_buffer: 10000, urgency_threshold: 4}"),
    );
    let (file, findings) = read(&text, Format::Yaml, &Overrides::default(), &NoFiles);
    file.unwrap_or_else(|| panic!("{findings:?}"))
}

pub(super) fn start_of(id: &str, file: &ScenarioFile) -> SimulationStart {
    let scenario = Arc::new(file.resolve().unwrap());
    SimulationStart {
        simulation_id: id.to_owned(),
        num_ticks: scenario.calendar.end().0,
        scenario,
        config_json: file.to_json().into(),
        config_file: "three-banks.yaml".to_owned(),
        config_name: "three-banks".to_owned(),
        description: Some("made for a test".to_owned()),
        experiment: None,
        policies: vec![PolicySnapshot {
            agent: "BANK_A".to_owned(),
            policy_json: r#"{"type":"Fifo"}"#.into(),
            created_by: PolicyAuthor::Init,
        }],
    }
}

pub(super) fn start(id: &str) -> SimulationStart {
    start_of(id, &scenario_file(2, 1.0))
}

/// The events of so many ticks.
pub(super) fn simulate(scenario: &Arc<Scenario>, ticks: u64) -> Vec<Arc<[Event]>> {
    let mut simulation = Simulation::new(scenario.clone());
    (0..ticks).map(|_| simulation.step().map(Into::into).unwrap()).collect()
}

/// Hands over ticks of a simulation that has started.
pub(super) fn hand_over(
    provider: &dyn SimulationPersistenceProvider,
    id: &str,
    ticks: &[Arc<[Event]>],
) -> u64 {
    let mut sequence = 0;
    for (tick, events) in (0..).map(Tick).zip(ticks) {
        let record = TickRecord { tick, first_sequence: sequence, events: events.clone(), checkpoint: None };
        sequence += provider.persist_tick_events(id, record).unwrap() as u64;
    }
    sequence
}

/// Stores a whole simulation, without waiting for the commit.
pub(super) fn store(database: &Database, start: SimulationStart) -> Ticket {
    let provider = database.provider().unwrap();
    let (id, scenario, ticks) = (start.simulation_id.clone(), start.scenario.clone(), start.num_ticks);
    provider.persist_simulation_start(start).unwrap();
    hand_over(&provider, &id, &simulate(&scenario, ticks));
    provider.persist_simulation_complete(&id, SimulationCompletion { duration_seconds: 0.5 }).unwrap()
}
