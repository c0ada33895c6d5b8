//! What the fold needs of a scenario, in the form in which it needs it.

use crate::rates::DelayWeights;
use crate::scenario::{Penalty, Queue1Ordering, Scenario};
use crate::time::Tick;

/// Settings and rates, taken from the scenario once.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rules {
    pub delay: DelayWeights,
    pub eod_penalty: Penalty,
    pub deferred_crediting: bool,
    pub sorts_queue1: bool,
    pub sorts_queue2: bool,
    /// The events are those of the reference, which do not say everything.
    pub reference: bool,
    ticks_per_day: u64,
}

impl Rules {
    pub fn of(scenario: &Scenario) -> Self {
        let (rates, settings) = (&scenario.cost_rates, &scenario.settings);
        Self {
            delay: DelayWeights::new(rates),
            eod_penalty: rates.eod_penalty,
            deferred_crediting: settings.deferred_crediting,
            sorts_queue1: settings.queue1_ordering == Queue1Ordering::PriorityDeadline,
            sorts_queue2: settings.priority_mode,
            reference: scenario.names.of_reference(),
            ticks_per_day: scenario.calendar.ticks_per_day,
        }
    }

    /// How many days end in a tick before this one.
    pub const fn day_ends_before(&self, tick: Tick) -> u64 {
        tick.0 / self.ticks_per_day
    }
}
