//! How fast the engine simulates, what it allocates, and how much memory a large system takes.
//!
//! ```console
//! $ cargo bench --bench engine                 # every figure beside its target
//! $ cargo bench --bench engine -- FILE...      # events and time of these scenarios
//! ```
//!
//! Times are processor time of the one thread that simulates, the least of several runs.

#![allow(missing_docs, clippy::print_stdout, clippy::unwrap_used, clippy::panic, reason = "a benchmark")]
#![allow(dead_code, reason = "shared with other benchmarks")]

mod measure;

use std::alloc::System;
use std::sync::Arc;

use payment_sim::engine::Simulation;
use payment_sim::event::Event;
use payment_sim::scenario::{Overrides, Scenario};
use payment_sim::sources::load_scenario;
use serde_json::json;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

use measure::Target::{AtLeast, AtMost};
use measure::{figure, heading, least, peak_memory, remark, scenarios, thread_seconds};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    let files: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    if !files.is_empty() {
        files.iter().for_each(|file| one_file(file));
        return;
    }
    // First, while nothing else has taken memory.
    whole_system();
    ten_banks();
    length();
    crisis();
    ring();
}

/// A run from its first to its last tick.
struct Run {
    events: u64,
    seconds: f64,
    simulation: Simulation,
}

fn run(scenario: &Arc<Scenario>) -> Run {
    let started = thread_seconds();
    let mut simulation = Simulation::new(scenario.clone());
    let mut events = 0;
    while simulation.now() < scenario.calendar.end() {
        events += simulation.step().unwrap().len() as u64;
    }
    Run { events, seconds: thread_seconds() - started, simulation }
}

/// Events and the least time of several runs.
fn timed(scenario: &Arc<Scenario>, times: usize) -> (u64, f64) {
    let mut events = 0;
    let seconds = least(times, || {
        let run = run(scenario);
        events = run.events;
        run.seconds
    });
    (events, seconds)
}

fn one_file(file: &str) {
    heading(file);
    let scenario = load_scenario(file, &Overrides::default()).unwrap().resolved;
    let (events, seconds) = timed(&scenario, 5);
    remark("events", events as f64, "events");
    remark("time", seconds, "s");
    remark("speed", events as f64 / seconds, "events/s");
}

fn ten_banks() {
    heading("ten banks, 400 ticks");
    let (events, seconds) = timed(&scenarios::read(&scenarios::ten_banks(400, 1, 20.0, 1_000_000)).1, 15);
    remark("events", events as f64, "events");
    figure("speed on one core", events as f64 / seconds, "events/s", AtLeast(1e6));
}

/// Time in the first and in the last third of a long run, and allocations where queues are in use.
fn length() {
    heading("ten banks, 50 days of 400 ticks");
    let (_, scenario) = scenarios::read(&scenarios::ten_banks(400, 50, 20.0, 100_000_000));
    let mut growth: Vec<f64> = (0..5).map(|_| late_beside_early(&scenario)).collect();
    growth.sort_by(f64::total_cmp);
    figure("an event late in the run / one early in it", growth[2], "ratio", AtMost(1.1));
    let (_, scenario) = scenarios::read(&scenarios::ten_banks(400, 10, 20.0, 1_000_000));
    let mut simulation = Simulation::new(scenario);
    let tenths: Vec<Tenth> = (0..10).map(|_| Tenth::run(&mut simulation, 400)).collect();
    let beyond = |tenth: &Tenth| (tenth.allocations - tenth.owned) as f64 / tenth.events as f64;
    let last = tenths.last().map_or(0.0, beyond);
    figure("allocations beyond what events own, with netting", last, "per event", AtMost(0.05));
}

fn late_beside_early(scenario: &Arc<Scenario>) -> f64 {
    let tenth = scenario.calendar.end().0 / 10;
    let mut simulation = Simulation::new(scenario.clone());
    let costs: Vec<f64> = (0..10)
        .map(|_| Tenth::run(&mut simulation, tenth))
        .map(|tenth| tenth.seconds / tenth.events as f64)
        .collect();
    let least = |costs: &[f64]| costs.iter().copied().fold(f64::INFINITY, f64::min);
    least(&costs[7..]) / least(&costs[1..4])
}

/// A tenth of a run.
struct Tenth {
    seconds: f64,
    events: u64,
    allocations: usize,
    /// Allocations that live on in the events.
    owned: usize,
}

impl Tenth {
    fn run(simulation: &mut Simulation, ticks: u64) -> Self {
        let started = thread_seconds();
        let region = Region::new(ALLOCATOR);
        let (mut events, mut owned) = (0, 0);
        for _ in 0..ticks {
            for event in simulation.step().unwrap() {
                events += 1;
                owned += lists(event);
            }
        }
        let change = region.change();
        let allocations = change.allocations + change.reallocations;
        Self { seconds: thread_seconds() - started, events, allocations, owned }
    }
}

/// Lists of its own that an event holds.
const fn lists(event: &Event) -> usize {
    match event {
        Event::PolicySplit { .. } | Event::DeferredCreditApplied { .. } => 1,
        Event::LsmBilateralOffset { .. } => 2,
        Event::LsmCycleSettlement { .. } => 4,
        _ => 0,
    }
}

fn crisis() {
    heading("five banks in a crisis, 25 days of 100 ticks");
    let (events, seconds) = timed(&scenarios::crisis(), 5);
    remark("events", events as f64, "events");
    figure("time", seconds, "s", AtMost(1.0));
    remark("speed", events as f64 / seconds, "events/s");
}

fn whole_system() {
    let cycles =
        |length: u64| json!({"enable_bilateral": true, "enable_cycles": true, "max_cycle_length": length});
    let gridlock = json!({"algorithm": "bech_soramaki"});
    one_system("pairs and rings of three", 300_000, &cycles(3));
    one_system("pairs and rings of four", 300_000, &cycles(4));
    one_system("gridlock resolution", 300_000, &gridlock);
    one_system("a third of the liquidity, pairs and rings of four", 100_000, &cycles(4));
}

fn one_system(name: &str, liquidity: i64, lsm: &serde_json::Value) {
    heading(&format!("1,050 banks, a day of 600 ticks, {name}"));
    let scenario = scenarios::whole_system(liquidity, lsm);
    let Run { events, seconds, simulation } = run(&scenario);
    let metrics = simulation.metrics();
    remark("payments", metrics.total_arrivals as f64, "payments");
    remark("events", events as f64, "events");
    remark("payments in queue 2 at the end", metrics.queue2_total_size as f64, "payments");
    figure("time", seconds.min(run(&scenario).seconds), "s", AtMost(3.0));
    figure("peak memory", peak_memory(), "MiB", AtMost(1024.0));
}

fn ring() {
    heading("a ring of 1,000 banks without money, gridlock resolution");
    let scenario = scenarios::ring(1_000);
    let mut settled = 0;
    let seconds = least(5, || {
        let run = run(&scenario);
        settled = run.simulation.metrics().total_settlements;
        run.seconds
    });
    figure("payments settled", settled as f64, "payments", AtLeast(1_000.0));
    figure("time", seconds, "s", AtMost(0.1));
}
