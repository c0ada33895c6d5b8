//! A short trial of a scenario: how fast it goes here and how many events it makes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::rows::Trial;
use crate::run::{CancelFlag, SimulationRequest, TickReport, simulate};
use crate::scenario::Scenario;

/// How long a trial may take.
const PATIENCE: Duration = Duration::from_millis(60);

/// Simulates the beginning of a scenario; nothing if it fails at once.
pub fn trial(scenario: Arc<Scenario>, ticks: u64) -> Option<Trial> {
    let cancel = CancelFlag::default();
    let began = Instant::now();
    let mut observer = |_: &TickReport<'_>| {
        if began.elapsed() > PATIENCE {
            cancel.cancel();
        }
    };
    let finished = simulate(&SimulationRequest { scenario, ticks }, None, &mut observer, &cancel).ok()?;
    let seconds = began.elapsed().as_secs_f64();
    (finished.ticks > 0).then_some(Trial { ticks: finished.ticks, events: finished.events, seconds })
}
