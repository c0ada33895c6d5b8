//! Points in time as the database keeps them: local time in microseconds.

use std::fmt;

use chrono::{DateTime, Local, NaiveDateTime};

/// A moment in local time, in microseconds since 1970-01-01 00:00 of the wall clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub i64);

impl Moment {
    /// Now.
    #[must_use]
    pub fn now() -> Self {
        Self(Local::now().naive_local().and_utc().timestamp_micros())
    }

    /// The moment of a text as [`Display`](fmt::Display) writes it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let moment = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()?;
        Some(Self(moment.and_utc().timestamp_micros()))
    }

    /// The moment in a format of `strftime`, e.g. `%Y-%m-%d %H:%M`.
    #[must_use]
    pub fn format(self, format: &str) -> String {
        DateTime::from_timestamp_micros(self.0)
            .map_or_else(String::new, |moment| moment.naive_utc().format(format).to_string())
    }
}

/// ISO 8601 with microseconds: `2026-01-31T09:15:00.000123`.
impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.format("%Y-%m-%dT%H:%M:%S%.6f"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_iso_texts_with_microseconds() {
        assert_eq!(Moment(1_700_000_000_000_042).to_string(), "2023-11-14T22:13:20.000042");
        assert_eq!(Moment::parse("2023-11-14T22:13:20.000042"), Some(Moment(1_700_000_000_000_042)));
        assert_eq!(Moment::parse("yesterday"), None);
        assert_eq!(Moment(0).format("%Y-%m-%d %H:%M"), "1970-01-01 00:00");
    }
}
