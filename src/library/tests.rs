//! The library keeps its promises.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failing test says enough")]

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::*;
use crate::experiment::file::Experiment;
use crate::metrics::{DailyRow, Ledger, TickFigures, Totals};
use crate::policy::PolicyDocument;
use crate::run::{CancelFlag, Outcome, SimulationRequest, TickReport, simulate};
use crate::scenario::{Format, Overrides, Scenario, ScenarioFile, read};

/// Everything that a run of a scenario shows.
struct Day {
    ledger: Ledger,
    ticks: Vec<TickFigures>,
    daily: Vec<DailyRow>,
}

impl Day {
    fn totals(&self) -> Totals {
        self.ledger.totals()
    }

    fn waiting(&self, ticks: std::ops::Range<usize>) -> usize {
        self.ticks[ticks].iter().map(|tick| tick.queue1_size + tick.queue2_size).max().unwrap_or(0)
    }
}

fn scenario(name: &str) -> ScenarioFile {
    let asset = find_kind(Kind::Scenario, name).unwrap();
    let overrides = Overrides { strict: true, ..Overrides::default() };
    let (file, findings) = read(asset.text(), Format::Yaml, &overrides, asset);
    assert!(findings.0.is_empty(), "{name}: {findings:?}");
    file.unwrap()
}

fn day_of(file: &ScenarioFile) -> Day {
    let scenario: Arc<Scenario> = Arc::new(file.resolve().unwrap());
    let ticks = scenario.calendar.total_ticks();
    let mut day = Day { ledger: Ledger::new(scenario.clone()), ticks: Vec::new(), daily: Vec::new() };
    let mut watch = |report: &TickReport<'_>| {
        let outcome = day.ledger.tick(report.tick, report.events).unwrap();
        day.ticks.push(outcome.figures);
        day.daily.extend(outcome.daily);
    };
    let request = SimulationRequest { scenario, ticks };
    let finished = simulate(&request, None, &mut watch, &CancelFlag::default()).unwrap();
    assert_eq!(finished.outcome, Outcome::Completed);
    day
}

fn day(name: &str) -> Day {
    day_of(&scenario(name))
}

#[test]
fn look() {
    for asset in of_kind(Kind::Scenario) {
        let start = std::time::Instant::now();
        let d = day(asset.name);
        println!("== {} {:?} events/t {:?}", asset.name, start.elapsed(), d.totals());
        println!("   costs {:?}", d.ledger.state().run_costs());
        for a in d.ledger.agents().iter().take(8) {
            println!("   {} bal {:?} q1 {} q2 {} {:?}", a.id, a.final_balance, a.queue1_size, a.queue2_size, a.costs);
        }
        let step = d.ticks.len().div_ceil(30);
        let line: Vec<String> = d.ticks.iter().step_by(step).map(|t| format!("{}/{}", t.queue1_size, t.queue2_size)).collect();
        println!("   q {}", line.join(" "));
        for day in 0..d.daily.len() / d.ledger.agents().len() {
            let n = d.ledger.agents().len();
            println!("   day {day} {:?}", &d.daily[day * n]);
            if n > 8 || d.daily.len() == n { break; }
        }
    }
}
