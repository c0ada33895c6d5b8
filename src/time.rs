//! Simulated time: ticks and days (spec 01, 6).

use std::fmt;

use serde::{Deserialize, Serialize};

/// A tick, counted from 0 over the whole run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tick(pub u64);

/// A day, counted from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(pub u64);

impl Tick {
    /// The tick `ticks` later, held at the end of the range.
    #[must_use]
    pub const fn after(self, ticks: u64) -> Self {
        Self(self.0.saturating_add(ticks))
    }

    /// Ticks from `earlier` to this one, 0 if it is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Tick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The length of a day and of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Ticks in a day, at least 1.
    pub ticks_per_day: u64,
    /// Days in a run, at least 1.
    pub num_days: u64,
}

impl Calendar {
    /// The tick after the last one of the run: no payment is due later.
    #[must_use]
    pub const fn end(&self) -> Tick {
        Tick(self.ticks_per_day.saturating_mul(self.num_days))
    }

    /// The day of a tick.
    #[must_use]
    pub const fn day(&self, tick: Tick) -> Day {
        Day(tick.0 / self.ticks_per_day)
    }

    /// The tick within its day, from 0.
    #[must_use]
    pub const fn tick_in_day(&self, tick: Tick) -> u64 {
        tick.0 % self.ticks_per_day
    }

    /// The first tick of the day after this tick's.
    #[must_use]
    pub const fn next_day_start(&self, tick: Tick) -> Tick {
        Tick((tick.0 / self.ticks_per_day + 1).saturating_mul(self.ticks_per_day))
    }

    /// Whether the tick opens a day.
    #[must_use]
    pub const fn opens_day(&self, tick: Tick) -> bool {
        self.tick_in_day(tick) == 0
    }

    /// Whether the tick closes a day.
    #[must_use]
    pub const fn closes_day(&self, tick: Tick) -> bool {
        self.tick_in_day(tick) == self.ticks_per_day - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_tick_days_open_and_close_in_the_same_tick() {
        let calendar = Calendar { ticks_per_day: 1, num_days: 3 };
        assert!(calendar.opens_day(Tick(2)) && calendar.closes_day(Tick(2)));
        assert_eq!(calendar.end(), Tick(3));
    }

    #[test]
    fn days_are_counted_from_zero() {
        let calendar = Calendar { ticks_per_day: 4, num_days: 2 };
        assert_eq!(calendar.day(Tick(7)), Day(1));
        assert_eq!(calendar.tick_in_day(Tick(7)), 3);
        assert_eq!(calendar.next_day_start(Tick(7)), Tick(8));
        assert!(calendar.closes_day(Tick(3)) && !calendar.closes_day(Tick(4)));
    }
}
