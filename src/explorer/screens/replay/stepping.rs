//! Steps through a simulation at two grains: ticks, and events inside a tick.
//!
//! A moment lies after some events of its tick. Back and forth at one grain lead to the same place.

use crate::explorer::keymap::Intent;
use crate::explorer::rows::{Moment, Seek};

/// Where a step leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    To(Seek),
    AtStart,
    AtEnd,
}

/// The step of an intent from a moment; steps that go too far stop at the end.
pub fn step(moment: &Moment, intent: Intent, times: u64) -> Step {
    match intent {
        Intent::TickForward => tick_forward(moment, times),
        Intent::TickBack => tick_back(moment, times),
        Intent::EventForward => event_forward(moment, times),
        _ => event_back(moment, times),
    }
}

fn is_whole(moment: &Moment) -> bool {
    moment.applied >= moment.events.len()
}

fn tick_forward(moment: &Moment, times: u64) -> Step {
    // Inside a tick, and at the very start, the first step completes the tick.
    let begun = u64::from(is_whole(moment) && !before_first_event(moment));
    let target = moment.tick.saturating_add(times.max(1) - 1).saturating_add(begun);
    if target <= moment.last_tick {
        Step::To(Seek::Tick(target))
    } else if moment.tick < moment.last_tick || !is_whole(moment) {
        Step::To(Seek::Tick(moment.last_tick))
    } else {
        Step::AtEnd
    }
}

fn tick_back(moment: &Moment, times: u64) -> Step {
    if at_start(moment) {
        return Step::AtStart;
    }
    match moment.tick.checked_sub(times.max(1)) {
        Some(target) => Step::To(Seek::Tick(target)),
        None => Step::To(Seek::Event(0, 0)),
    }
}

fn event_forward(moment: &Moment, times: u64) -> Step {
    let left = moment.events.len().saturating_sub(moment.applied);
    let times = usize::try_from(times.max(1)).unwrap_or(usize::MAX);
    if times <= left {
        Step::To(Seek::Event(moment.tick, moment.applied + times))
    } else if moment.tick < moment.last_tick {
        // What lies in the next ticks is not known here: a count ends behind the next tick's first events.
        Step::To(Seek::Event(moment.tick + 1, times - left))
    } else if left > 0 {
        Step::To(Seek::Tick(moment.tick))
    } else {
        Step::AtEnd
    }
}

fn event_back(moment: &Moment, times: u64) -> Step {
    let times = usize::try_from(times.max(1)).unwrap_or(usize::MAX);
    match moment.applied.checked_sub(times) {
        // The state before a tick's first event is that after the tick before.
        Some(0) | None if moment.tick > 0 => Step::To(Seek::Tick(moment.tick - 1)),
        Some(applied) => Step::To(Seek::Event(moment.tick, applied)),
        None if at_start(moment) => Step::AtStart,
        None => Step::To(Seek::Event(0, 0)),
    }
}

fn at_start(moment: &Moment) -> bool {
    moment.tick == 0 && moment.applied == 0
}

/// A first tick without events has no place of its own before them.
fn before_first_event(moment: &Moment) -> bool {
    at_start(moment) && !moment.events.is_empty()
}
