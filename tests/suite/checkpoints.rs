//! Checkpoints: a simulation restored after any tick goes on exactly as if nothing had happened, in
//! memory for every case of the specification, and through the database.

use std::sync::Arc;

use payment_sim::engine::{EngineError, Simulation};
use payment_sim::event::write_line;
use payment_sim::scenario::Scenario;

use crate::support::Case;

/// The events of every tick as lines, and how the run ended.
type Course = (Vec<String>, Result<(), EngineError>);

/// Runs to the end; before every tick the simulation may be replaced.
fn course(mut simulation: Simulation, replaced: impl Fn(Simulation) -> Simulation) -> Course {
    let end = simulation.scenario().calendar.end();
    let mut ticks = Vec::new();
    while simulation.now() < end {
        simulation = replaced(simulation);
        match simulation.step() {
            Ok(_) => ticks.push(lines(&simulation)),
            Err(error) => return (ticks, Err(error)),
        }
    }
    (ticks, Ok(()))
}

/// The events of the last tick, numbered within it.
fn lines(simulation: &Simulation) -> String {
    let (mut text, names) = (String::new(), &simulation.scenario().names);
    for (number, event) in (0..).zip(simulation.events()) {
        write_line(number, simulation.now(), event, names, &mut text);
        text.push('\n');
    }
    text
}

fn restored(simulation: &Simulation) -> Simulation {
    let text = simulation.checkpoint().expect("a checkpoint");
    let restored = Simulation::restore(simulation.scenario().clone(), &text).expect("a state");
    assert_eq!(restored.checkpoint().expect("a checkpoint"), text);
    restored
}

/// The tick in which two courses differ first.
fn difference(whole: &Course, other: &Course) -> Option<usize> {
    if whole == other {
        return None;
    }
    let same = whole.0.iter().zip(&other.0).take_while(|(one, two)| one == two).count();
    Some(same)
}

/// How far a case falls short: a chain that is restored before every tick, then continuations to the
/// end from the beginning, a third, two thirds and the last tick.
fn shortfall(scenario: &Arc<Scenario>) -> Option<String> {
    let whole = course(Simulation::new(scenario.clone()), |simulation| simulation);
    let chain = course(Simulation::new(scenario.clone()), |simulation| restored(&simulation));
    if let Some(tick) = difference(&whole, &chain) {
        return Some(format!("restored after every tick it differs in tick {tick}"));
    }
    let ticks = whole.0.len();
    for from in [0, ticks / 3, 2 * ticks / 3, ticks.saturating_sub(1)] {
        let mut simulation = Simulation::new(scenario.clone());
        for _ in 0..from {
            simulation.step().expect("a tick that did not fail before");
        }
        let (rest, end) = course(restored(&simulation), |simulation| simulation);
        let (before, _) = whole.0.split_at(from);
        if let Some(tick) = difference(&whole, &([before, rest.as_slice()].concat(), end)) {
            return Some(format!("restored before tick {from} it differs in tick {tick}"));
        }
    }
    None
}

#[test]
fn every_case_goes_on_the_same_from_every_tick() {
    let mut ran = 0;
    let mut short = Vec::new();
    for case in Case::all() {
        // Some cases hold a scenario that must be refused.
        let Ok((_, scenario)) = case.scenario() else { continue };
        ran += 1;
        short.extend(shortfall(&scenario).map(|why| format!("{}: {why}", case.name)));
    }
    assert!(ran > 300, "only {ran} cases ran");
    assert!(short.is_empty(), "{} of {ran} cases fall short:\n{}", short.len(), short.join("\n"));
}
