//! `--debug`: how long a tick and its phases took, on standard error.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::error::say;
use crate::engine::Phase;
use crate::time::Tick;

/// Durations of the parts of a tick: the engine's phases, then storing.
type Parts = [Duration; Phase::ALL.len() + 1];

/// Measures tick by tick.
#[derive(Debug)]
pub struct Timings {
    since: Instant,
    tick: Parts,
    all: Parts,
    ticks: u64,
}

impl Timings {
    /// From now on.
    pub fn new() -> Self {
        Self { since: Instant::now(), tick: Parts::default(), all: Parts::default(), ticks: 0 }
    }

    /// A phase of the engine is over.
    pub fn phase(&mut self, phase: Phase) {
        let place = Phase::ALL.iter().position(|known| *known == phase);
        if let Some(part) = place.and_then(|at| self.tick.get_mut(at)) {
            *part = self.since.elapsed();
        }
        self.since = Instant::now();
    }

    /// The tick is stored.
    pub fn tick(&mut self, tick: Tick) {
        if let Some(storing) = self.tick.last_mut() {
            *storing = self.since.elapsed();
        }
        say(&format!("debug: tick {tick}: {}", text(&self.tick)));
        for (all, part) in self.all.iter_mut().zip(&self.tick) {
            *all += *part;
        }
        self.ticks += 1;
    }

    /// What was done with the tick after that does not count.
    pub fn go_on(&mut self) {
        self.since = Instant::now();
    }

    /// The run is over.
    pub fn end(&self) {
        say(&format!("debug: {} ticks: {}", self.ticks, text(&self.all)));
    }
}

/// `1.250 ms: arrivals 0.100, …`.
fn text(parts: &Parts) -> String {
    let milliseconds = |part: &Duration| part.as_secs_f64() * 1000.0;
    let mut text = format!("{:.3} ms:", milliseconds(&parts.iter().sum()));
    let names = Phase::ALL.iter().map(|phase| phase.name()).chain(["storing"]);
    for (at, (name, part)) in names.zip(parts).enumerate() {
        let comma = if at > 0 { "," } else { "" };
        // Writing to a text cannot fail.
        let _ = write!(text, "{comma} {name} {:.3}", milliseconds(part));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stand_by_their_names_behind_their_sum() {
        let mut parts = Parts::default();
        parts[1] = Duration::from_micros(1500);
        parts[5] = Duration::from_micros(2);
        let expected = "1.502 ms: arrivals 0.000, decisions 1.500, settlement 0.000, netting 0.000, costs \
                        0.000, storing 0.002";
        assert_eq!(text(&parts), expected);
    }
}
