//! The cases of the specification: events, summaries, per-tick figures, refusals.

use std::collections::HashMap;
use std::sync::Arc;

use payment_sim::engine::{EngineError, Simulation};
use payment_sim::event::{Event, SettlementId, write_line};
use payment_sim::ids::Names;
use payment_sim::metrics::{Ledger, TransactionRow};
use payment_sim::scenario::Scenario;
use payment_sim::time::Tick;
use serde_json::{Value, json};

use crate::support::Case;
use crate::support::expected::{Ids, differs};

/// A case that was run to its end.
struct Run {
    lines: Vec<String>,
    ticks: Vec<Value>,
    simulation: Simulation,
    ledger: Ledger,
}

fn run(scenario: &Arc<Scenario>) -> Result<Run, EngineError> {
    let mut simulation = Simulation::new(scenario.clone());
    let mut ledger = Ledger::new(scenario.clone());
    let (mut lines, mut ticks) = (Vec::new(), Vec::new());
    let (mut spoken_of, mut settled) = (SpokenOf::default(), Vec::new());
    while simulation.now() < scenario.calendar.end() {
        let tick = simulation.now();
        let events = simulation.step()?;
        for event in events {
            let mut line = String::new();
            write_line(lines.len() as u64, tick, event, &scenario.names, &mut line);
            lines.push(line);
            spoken_of.note(tick, event, &scenario.names);
        }
        let outcome = ledger.tick(tick, simulation.events()).expect("events that fold");
        let counts = simulation.last_tick();
        ticks.push(json!({
            "tick": tick.0, "num_arrivals": counts.arrivals, "num_settlements": counts.settlements,
            "num_lsm_releases": counts.lsm_releases, "total_cost": counts.cost.0,
        }));
        let mut line = String::new();
        outcome.figures.write_stream_line(&mut line);
        let streamed: Value = serde_json::from_str(&line).expect("a line of JSON");
        assert_eq!(streamed["costs"], json!(counts.cost.0), "tick {tick}");
        assert_eq!(streamed["settlements"], json!(counts.settlements), "tick {tick}");
        settled.extend(outcome.settled);
        compare_states(&simulation, &ledger, &scenario.names);
    }
    spoken_of.check(settled.iter().chain(&ledger.open_transactions()));
    Ok(Run { lines, ticks, simulation, ledger })
}

/// The first and the last tick in which events concern a payment.
#[derive(Default)]
struct SpokenOf(HashMap<SettlementId, (Tick, Tick)>);

impl SpokenOf {
    fn note(&mut self, tick: Tick, event: &Event, names: &Names) {
        for payment in event.concerns(names).payments {
            self.0.entry(payment).or_insert((tick, tick)).1 = tick;
        }
    }

    /// No event concerns a payment before it arrives or after it has settled: the events of a payment are
    /// looked for between these ticks only.
    fn check<'a>(&self, payments: impl Iterator<Item = &'a TransactionRow>) {
        for row in payments {
            let Some((first, last)) = self.0.get(&SettlementId::Payment(row.tx_id)) else { continue };
            assert!(row.arrival_tick <= *first, "{} arrives after tick {first}", row.tx_id);
            assert!(row.settlement_tick.is_none_or(|tick| *last <= tick), "{} in tick {last}", row.tx_id);
        }
    }
}

/// The fold of the events equals the engine's state.
fn compare_states(simulation: &Simulation, ledger: &Ledger, names: &Names) {
    let state = ledger.state();
    for bank in names.banks() {
        let (engine, folded) = (simulation.bank(bank), state.bank(bank).expect("a bank of the scenario"));
        let id = names.bank(bank);
        let tick = simulation.now();
        assert_eq!(engine.position.balance, folded.balance, "balance of {id} before tick {tick}");
        assert_eq!(engine.position.posted, folded.posted, "collateral of {id} before tick {tick}");
        assert_eq!(engine.costs, folded.run_costs, "costs of {id} before tick {tick}");
        let queued: Vec<_> = state.queue1(bank).map(|payment| payment.id).collect();
        assert_eq!(simulation.queue1(bank).collect::<Vec<_>>(), queued, "queue 1 of {id} before tick {tick}");
    }
    let queued: Vec<_> = state.queue2().map(|payment| payment.id).collect();
    assert_eq!(simulation.queue2().collect::<Vec<_>>(), queued, "queue 2 before tick {}", simulation.now());
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect()
}

fn check(case: &Case) -> Result<(), String> {
    let outcome = case.scenario().map_err(|findings| format!("{:?}", findings.errors().next()));
    let ran = outcome.and_then(|(_, scenario)| {
        run(&scenario).map(|run| (run, scenario)).map_err(|error| error.to_string())
    });
    if case.has("error.txt") {
        return match ran {
            Ok(_) => Err("accepted, must be refused".to_owned()),
            Err(_) => Ok(()),
        };
    }
    let (run, scenario) = ran?;
    check_events(case, &run)?;
    if case.has("ticks.jsonl") {
        for (wanted, got) in json_lines(&case.text("ticks.jsonl")).iter().zip(&run.ticks) {
            if let Some(difference) = differs(wanted, got, &mut Ids::default(), "tick") {
                return Err(difference);
            }
        }
    }
    if case.has("summary.json") { check_summary(case, &run, &scenario) } else { Ok(()) }
}

fn check_events(case: &Case, run: &Run) -> Result<(), String> {
    let wanted = json_lines(&case.text("events.jsonl"));
    let mut ids = Ids::default();
    for (at, wanted) in wanted.iter().enumerate() {
        let got: Value = match run.lines.get(at) {
            Some(line) => serde_json::from_str(line).map_err(|error| error.to_string())?,
            None => return Err(format!("event {at} is missing: {wanted}")),
        };
        if let Some(difference) = differs(wanted, &got, &mut ids, &format!("event {at}")) {
            return Err(format!("{difference}\n  expected {wanted}\n  got      {got}"));
        }
    }
    if run.lines.len() > wanted.len() {
        return Err(format!("too many events, the first {}", run.lines[wanted.len()]));
    }
    Ok(())
}

fn check_summary(case: &Case, run: &Run, scenario: &Scenario) -> Result<(), String> {
    let wanted: Value =
        serde_json::from_str(&case.text("summary.json")).map_err(|error| error.to_string())?;
    let mut summary = json!({ "balances": {}, "costs": {}, "metrics": {} });
    for bank in scenario.names.banks() {
        let figures = run.simulation.bank(bank);
        let id = scenario.names.bank(bank);
        let costs = figures.costs;
        summary["balances"][id] = json!(figures.position.balance.0);
        summary["costs"][id] = json!({
            "liquidity_cost": costs.overdraft.0, "collateral_cost": costs.collateral.0,
            "delay_cost": costs.delay.0, "split_friction_cost": costs.split_friction.0,
            "deadline_penalty": costs.penalty.0,
            "liquidity_opportunity_cost": costs.liquidity_opportunity.0,
            "total_cost": costs.total().expect("a total").0,
        });
    }
    let metrics = run.simulation.metrics();
    summary["metrics"] = json!({
        "total_arrivals": metrics.total_arrivals, "total_settlements": metrics.total_settlements,
        "settlement_rate": metrics.settlement_rate, "avg_delay_ticks": metrics.avg_delay_ticks,
        "max_delay_ticks": metrics.max_delay_ticks, "queue1_total_size": metrics.queue1_total_size,
        "queue2_total_size": metrics.queue2_total_size, "peak_overdraft": metrics.peak_overdraft.0,
        "agents_in_overdraft": metrics.agents_in_overdraft,
    });
    let totals = run.ledger.totals();
    assert_eq!(totals.total_arrivals, metrics.total_arrivals, "{}", case.name);
    assert_eq!(totals.total_settlements, metrics.total_settlements, "{}", case.name);
    differs(&wanted, &summary, &mut Ids::default(), "summary").map_or(Ok(()), Err)
}

#[test]
fn all_cases_hold() {
    let cases = Case::all();
    let failed: Vec<String> = cases
        .iter()
        .filter_map(|case| check(case).err().map(|why| format!("{}: {why}", case.name)))
        .collect();
    assert_eq!(cases.len(), 379);
    assert!(
        failed.is_empty(),
        "{} of {} cases fall short:\n{}",
        failed.len(),
        cases.len(),
        failed.join("\n")
    );
}
