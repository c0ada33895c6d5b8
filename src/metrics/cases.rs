//! The conformance cases: everything that is folded from their expected events must equal
//! their expected figures.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::*;
use crate::costs::Costs;
use crate::event::{Event, EventKind, decode};
use crate::ids::{BankIdx, Names, PaymentId};
use crate::money::Cents;
use crate::replay::{Place, SNAPSHOT_FORMAT, State};
use crate::scenario::{self, FileKind, FileText, Files, Format, Overrides, Scenario};
use crate::time::Tick;

/// Reads expected events, whose payments are called `tx#1`, `tx#2`, … in the order in which
/// they are first named, and gives them the numbers of their arrivals.
pub(crate) fn read_events(text: &str, names: &Names) -> Vec<(Tick, Event)> {
    let mut numbers: HashMap<String, PaymentId> = HashMap::new();
    let mut events = Vec::new();
    for line in text.lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        let event_type = value["event_type"].as_str().unwrap();
        if event_type == "Arrival" {
            let number = PaymentId(numbers.len() as u128 + 1);
            numbers.insert(value["tx_id"].as_str().unwrap().to_owned(), number);
        }
        let mut numbered = String::new();
        let mut rest = line;
        while let Some(at) = rest.find("tx#") {
            let digits = rest[at + 3..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - at - 3);
            numbered.push_str(&rest[..at]);
            let (id, after) = rest[at..].split_at(3 + digits);
            numbered.push_str(&numbers[id].to_string());
            rest = after;
        }
        numbered.push_str(rest);
        let event = decode(event_type, None, None, &numbered, names).unwrap();
        events.push((Tick(value["tick"].as_u64().unwrap()), event));
    }
    events
}

/// The events of every tick of the run.
fn by_tick(scenario: &Scenario, events: Vec<(Tick, Event)>) -> Vec<Vec<Event>> {
    let mut ticks = vec![Vec::new(); scenario.calendar.end().0 as usize];
    for (tick, event) in events {
        ticks[tick.0 as usize].push(event);
    }
    ticks
}

fn costs_json(costs: &Costs) -> Value {
    let mut text = String::new();
    write_costs(costs, &mut text);
    serde_json::from_str(&text).unwrap()
}

fn daily_json(row: &DailyRow, names: &Names) -> Value {
    let costs = costs_json(&row.costs);
    json!({
        "agent_id": names.bank(row.agent), "day": row.day,
        "opening_balance": row.opening_balance, "closing_balance": row.closing_balance,
        "min_balance": row.min_balance, "max_balance": row.max_balance,
        "unsecured_cap": row.unsecured_cap, "peak_overdraft": row.peak_overdraft,
        "opening_posted_collateral": row.opening_posted_collateral,
        "closing_posted_collateral": row.closing_posted_collateral,
        "peak_posted_collateral": row.peak_posted_collateral,
        "collateral_capacity": row.collateral_capacity,
        "num_collateral_posts": row.num_collateral_posts,
        "num_collateral_withdrawals": row.num_collateral_withdrawals,
        "num_arrivals": row.num_arrivals, "num_sent": row.num_sent, "num_received": row.num_received,
        "num_settled": row.num_settled(), "num_dropped": row.num_dropped,
        "queue1_peak_size": row.queue1_peak_size, "queue1_eod_size": row.queue1_eod_size,
        "liquidity_cost": costs["liquidity_cost"], "delay_cost": costs["delay_cost"],
        "collateral_cost": costs["collateral_cost"], "split_friction_cost": costs["split_friction_cost"],
        "deadline_penalty_cost": costs["deadline_penalty"],
        "liquidity_opportunity_cost": costs["liquidity_opportunity_cost"],
        "total_cost": row.total_cost(),
    })
}

fn tick_json(figures: &TickFigures) -> Value {
    json!({
        "tick": figures.tick, "num_arrivals": figures.arrivals, "num_settlements": figures.settlements,
        "num_lsm_releases": figures.lsm_releases, "total_cost": figures.cost,
    })
}

fn summary_json(summary: &Summary) -> Value {
    let text = summary.to_json();
    let result: Value = serde_json::from_str(&text).unwrap();
    let by_bank = |key: &str| -> Value {
        let agents = result["agents"].as_array().unwrap();
        agents
            .iter()
            .map(|a| (a["id"].as_str().unwrap().to_owned(), a[key].clone()))
            .collect::<Map<_, _>>()
            .into()
    };
    json!({ "balances": by_bank("final_balance"), "costs": by_bank("costs"), "metrics": result["metrics"] })
}

/// Every key of the expected object is there with the same value.
fn holds(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            expected.iter().all(|(key, value)| found.get(key).is_some_and(|found| holds(value, found)))
        }
        _ => expected == found,
    }
}

/// A folded case with everything that came out of it.
struct Folded {
    ledger: Ledger,
    ticks: Vec<TickFigures>,
    daily: Vec<DailyRow>,
    settled: Vec<TransactionRow>,
}

/// Folds whole ticks, single events and a state that is encoded and read back after every
/// tick: all three must be the same state.
fn fold(scenario: &Arc<Scenario>, ticks: &[Vec<Event>]) -> Folded {
    let mut ledger = Ledger::new(Arc::clone(scenario));
    let (mut stepped, mut reread) = (State::new(Arc::clone(scenario)), State::new(Arc::clone(scenario)));
    let mut folded = (Vec::new(), Vec::new(), Vec::new());
    for (tick, events) in ticks.iter().enumerate() {
        let tick = Tick(tick as u64);
        let outcome = ledger.tick(tick, events).unwrap();
        folded.0.push(outcome.figures);
        folded.1.extend(outcome.daily);
        folded.2.extend(outcome.settled);
        stepped.begin_tick(tick).unwrap();
        for event in events {
            check_queue_order(&stepped, event);
            stepped.apply(event).unwrap();
            let bytes = stepped.encode().unwrap();
            stepped = State::decode(Arc::clone(scenario), SNAPSHOT_FORMAT, &bytes).unwrap();
            assert_eq!(stepped.encode().unwrap(), bytes);
        }
        stepped.end_tick().unwrap();
        reread.apply_tick(tick, events).unwrap();
        let bytes = ledger.state().encode().unwrap();
        assert_eq!(stepped.encode().unwrap(), bytes, "single events, {tick}");
        assert_eq!(reread.encode().unwrap(), bytes, "read back, {tick}");
        reread = State::decode(Arc::clone(scenario), SNAPSHOT_FORMAT, &bytes).unwrap();
        check_sums(ledger.state());
    }
    Folded { ledger, ticks: folded.0, daily: folded.1, settled: folded.2 }
}

/// A pair settles its payments of each side in queue 2 order.
fn check_queue_order(state: &State, event: &Event) {
    let Event::LsmBilateralOffset { agent_a, agent_b, tx_ids, .. } = event else { return };
    let mut sorted = state.clone();
    sorted.apply(event).unwrap();
    let side = |from: BankIdx, to: BankIdx| {
        state.queue2().filter(move |p| p.sender == from && p.receiver == to).map(|p| p.id)
    };
    if !state.scenario().settings.priority_mode {
        let expected: Vec<_> = side(*agent_a, *agent_b).chain(side(*agent_b, *agent_a)).collect();
        assert_eq!(**tx_ids, *expected);
    }
}

/// What is counted as payments come and go equals what the queues hold.
fn check_sums(state: &State) {
    let sum = |payments: &mut dyn Iterator<Item = Cents>| payments.map(|amount| i128::from(amount.0)).sum();
    let mut total = 0;
    for bank in state.scenario().names.banks() {
        assert_eq!(state.queue1_len(bank), state.queue1(bank).count());
        assert_eq!(state.queue2_len(bank), state.queue2_of(bank).count());
        let value = |amounts: i128| Cents::saturating_from(amounts);
        assert_eq!(state.queue1_value(bank), value(sum(&mut state.queue1(bank).map(|p| p.remaining))));
        assert_eq!(state.queue2_value(bank), value(sum(&mut state.queue2_of(bank).map(|p| p.remaining))));
        total += state.queue1_len(bank);
    }
    assert_eq!(state.queue1_total_len(), total);
    assert_eq!(state.open_count(), state.open_payments().count());
}

/// Every payment has one row, and the rows give the totals.
fn check_rows(folded: &Folded, ticks: &[Vec<Event>]) {
    let Folded { ledger, settled, daily, .. } = folded;
    let totals = ledger.totals();
    let mut rows = settled.clone();
    rows.extend(ledger.open_transactions());
    rows.sort_by_key(|row| row.tx_id);
    let arrivals = ticks.iter().flatten().filter(|event| event.kind() == EventKind::Arrival).count();
    let numbers: Vec<_> = rows.iter().map(|row| row.tx_id.0).collect();
    assert_eq!(numbers, (1..=arrivals as u128).collect::<Vec<_>>());
    let value = |place: &[Place]| {
        Cents(rows.iter().filter(|row| place.contains(&row.place)).map(|row| row.amount.0).sum())
    };
    assert_eq!(value(&[Place::Settled]), totals.settled_value);
    assert_eq!(value(&[Place::Dropped]), totals.dropped_value);
    assert_eq!(value(&[Place::Queue1, Place::Queue2]), totals.queued_value);
    let originals = || rows.iter().filter(|row| row.parent_tx_id.is_none());
    let settled_originals = originals().filter(|row| row.status == PaymentStatus::Settled);
    assert_eq!(settled_originals.count() as u64, totals.total_settlements);
    assert_eq!(originals().count() as u64, totals.total_arrivals);
    assert_eq!(Cents(originals().map(|row| row.amount.0).sum()), totals.arrived_value);

    let costs = ledger.state().run_costs();
    assert_eq!(Cents(rows.iter().map(|row| row.penalty_cost.0).sum()), costs.penalty);
    // Each bank rounds once in a tick, each payment once: half a cent each at most.
    let shares: i64 = rows.iter().map(|row| row.delay_cost.0).sum();
    let roundings = rows.len() + ticks.len() * ledger.scenario().banks.len();
    assert!((shares - costs.delay.0).unsigned_abs() <= roundings as u64 / 2 + 1, "{shares} {costs:?}");
    let days: i64 = daily.iter().map(|row| row.total_cost().0).sum();
    assert_eq!(Cents(days), totals.total_cost);
    for row in &rows {
        assert!(row.queue1_ticks + row.queue2_ticks <= row.total_delay_ticks + 1, "{row:?}");
    }
}

fn check(folder: &Path) {
    let scenario = Arc::new(read_scenario(folder));
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let ticks = by_tick(&scenario, read_events(&read("events.jsonl"), &scenario.names));
    let folded = fold(&scenario, &ticks);

    let lines = read("ticks.jsonl");
    let expected: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let found: Vec<Value> = folded.ticks.iter().map(tick_json).collect();
    assert_eq!(expected, found, "per-tick figures");

    let expected: Vec<Value> = serde_json::from_str(&read("daily_metrics.json")).unwrap();
    let found: Vec<Value> = folded.daily.iter().map(|row| daily_json(row, &scenario.names)).collect();
    assert_eq!(expected.len(), found.len());
    for (expected, found) in expected.iter().zip(&found) {
        assert!(holds(expected, found), "daily metrics: expected {expected}, found {found}");
    }

    let expected: Value = serde_json::from_str(&read("summary.json")).unwrap();
    let found = summary_json(&Summary::new(SimulationSummary::default(), &folded.ledger));
    assert!(holds(&expected, &found), "summary: expected {expected}, found {found}");
    check_rows(&folded, &ticks);
}

/// Policies and payments beside the scenario.
struct Beside<'a>(&'a Path);

impl Files for Beside<'_> {
    fn read(&self, path: &str, _kind: FileKind) -> Result<FileText, String> {
        let text = fs::read_to_string(self.0.join(path)).map_err(|error| error.to_string())?;
        Ok(FileText { name: path.to_owned(), text })
    }
}

fn read_scenario(folder: &Path) -> Scenario {
    let text = fs::read_to_string(folder.join("scenario.yaml")).unwrap();
    let (file, findings) = scenario::read(&text, Format::Yaml, &Overrides::default(), &Beside(folder));
    file.unwrap_or_else(|| panic!("{findings:?}")).resolve().unwrap()
}

#[test]
fn every_case_folds_to_its_expected_figures() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut folders: Vec<_> = fs::read_dir(cases).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.retain(|folder| folder.join("events.jsonl").exists());
    folders.sort();
    assert!(folders.len() >= 300, "only {} cases", folders.len());
    for folder in folders {
        let held = std::panic::catch_unwind(|| check(&folder));
        assert!(held.is_ok(), "{}", folder.display());
    }
}
