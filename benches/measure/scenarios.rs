//! Scenarios of any size for the benchmarks, made from a few numbers.

use std::sync::Arc;

use payment_sim::scenario::{self, Format, NoFiles, Overrides, Scenario, ScenarioFile};
use serde_json::{Value, json};

/// A scenario written as JSON, as read and as the engine runs it.
pub fn read(json: &Value) -> (ScenarioFile, Arc<Scenario>) {
    let (file, findings) = scenario::read(&json.to_string(), Format::Json, &Overrides::default(), &NoFiles);
    let file = file.unwrap_or_else(|| panic!("{:?}", findings.0.first()));
    let resolved = Arc::new(file.resolve().unwrap());
    (file, resolved)
}

fn resolved(json: &Value) -> Arc<Scenario> {
    read(json).1
}

fn simulation(ticks_per_day: u64, num_days: u64) -> Value {
    json!({"ticks_per_day": ticks_per_day, "num_days": num_days, "rng_seed": 42})
}

/// Ten banks with three policies that pay each other all day; pairs and rings are on. On the whole so
/// much comes in as goes out; with ample liquidity the load is the same on every day.
pub fn ten_banks(ticks_per_day: u64, num_days: u64, rate_per_tick: f64, liquidity: i64) -> Value {
    let policies = [
        json!({"type": "Fifo"}),
        json!({"type": "Deadline", "urgency_threshold": 5}),
        json!({"type": "LiquidityAware", "target_buffer": 20_000, "urgency_threshold": 5}),
    ];
    let bank = |at: usize| {
        json!({
            "id": format!("BANK_{at:02}"), "opening_balance": liquidity, "unsecured_cap": liquidity / 2,
            "policy": policies[at % policies.len()],
            "arrival_config": {
                "rate_per_tick": rate_per_tick,
                "amount_distribution": {"type": "Uniform", "min": 1_000, "max": 50_000},
                "deadline_range": [5, 40], "counterparty_weights": {"BANK_00": 1.0},
            },
        })
    };
    json!({
        "simulation": simulation(ticks_per_day, num_days),
        "deadline_cap_at_eod": true,
        "lsm_config": {"enable_bilateral": true, "enable_cycles": true, "max_cycle_length": 3},
        "agents": (0..10).map(bank).collect::<Vec<_>>(),
    })
}

/// Five banks in a crisis of 25 days with 100 ticks: limits, two classes, escalation, offsets at entry,
/// reports of each mechanism; queues are long and much is late.
pub fn crisis() -> Arc<Scenario> {
    let bank = |at: i64| {
        json!({
            "id": format!("BANK_{at}"), "opening_balance": 900_000, "unsecured_cap": 600_000,
            "max_collateral_capacity": 1_000_000, "posted_collateral": 200_000,
            "policy": if at == 0 { json!({"type": "Deadline", "urgency_threshold": 8}) }
                else { json!({"type": "LiquidityAware", "target_buffer": 50_000, "urgency_threshold": 8}) },
            "limits": {"multilateral_limit": 26_000_000},
            "arrival_config": {
                "rate_per_tick": 6.0,
                "amount_distribution": {"type": "LogNormal", "mean": 40_000, "std_dev": 20_000},
                "deadline_range": [5, 40], "counterparty_weights": {"BANK_0": 1.0},
                "priority": 5,
            },
        })
    };
    resolved(&json!({
        "simulation": simulation(100, 25),
        "algorithm_sequencing": true, "entry_disposition_offsetting": true, "priority_mode": true,
        "priority_escalation": {"enabled": true, "start_escalating_at_ticks": 20, "max_boost": 3},
        "cost_rates": {"delay_cost_per_tick_per_cent": 0.0001, "overdraft_bps_per_tick": 0.5,
            "deadline_penalty": 500, "eod_penalty": 1_000},
        "lsm_config": {"enable_bilateral": true, "enable_cycles": true, "max_cycle_length": 4},
        "agents": (0..5).map(bank).collect::<Vec<_>>(),
    }))
}

/// A day of a whole system: 50 large banks and 1,000 small ones, some 410,000 payments in 600 ticks.
/// Each bank receives as much as it sends, on the whole; `liquidity` is what a small one starts with.
pub fn whole_system(liquidity: i64, lsm: &Value) -> Arc<Scenario> {
    const LARGE: usize = 50;
    const BANKS: usize = 1_050;
    let weights: Value =
        (0..LARGE).map(|at| (format!("BANK_{at:04}"), json!(8.3))).collect::<serde_json::Map<_, _>>().into();
    let bank = |at: usize| {
        let (balance, rate) = if at < LARGE { (20 * liquidity, 4.0) } else { (liquidity, 0.483) };
        json!({
            "id": format!("BANK_{at:04}"), "opening_balance": balance, "unsecured_cap": balance / 2,
            "policy": {"type": "Fifo"},
            "arrival_config": {
                "rate_per_tick": rate,
                "amount_distribution": {"type": "LogNormal", "mean": 60_000, "std_dev": 60_000},
                "deadline_range": [20, 300], "counterparty_weights": weights,
            },
        })
    };
    resolved(&json!({
        "simulation": simulation(600, 1),
        "deadline_cap_at_eod": true,
        "lsm_config": lsm,
        "agents": (0..BANKS).map(bank).collect::<Vec<_>>(),
    }))
}

/// Banks without money, each owing the next one the same: only all of them together can settle.
pub fn ring(banks: usize) -> Arc<Scenario> {
    let id = |at: usize| format!("BANK_{:05}", at % banks);
    let bank = |at| json!({"id": id(at), "opening_balance": 0, "policy": {"type": "Fifo"}});
    let rows: Vec<Value> = (0..banks).map(|at| json!([0, id(at), id(at + 1), 500, 5, null])).collect();
    resolved(&json!({
        "simulation": simulation(10, 1),
        "lsm_config": {"algorithm": "bech_soramaki"},
        "payments_file": {"rows": rows},
        "agents": (0..banks).map(bank).collect::<Vec<_>>(),
    }))
}
