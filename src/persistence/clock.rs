//! Points in time as the database keeps them: local time in microseconds.

use std::fmt;

use chrono::{DateTime, Local, NaiveDate, NaiveDateTime};

/// A moment in local time, in microseconds since 1970-01-01 00:00 of the wall clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub i64);

impl Moment {
    /// Now.
    #[must_use]
    pub fn now() -> Self {
        Self(Local::now().naive_local().and_utc().timestamp_micros())
    }

    /// Reads a day (`2026-01-31`, its beginning) or a moment (`2026-01-31T09:15`, with seconds if wanted).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().replace(' ', "T");
        let day = || NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
        let moment = |form: &&str| NaiveDateTime::parse_from_str(&text, form).ok();
        let found = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%.f"].iter().find_map(moment).or_else(day)?;
        Some(Self(found.and_utc().timestamp_micros()))
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
        for text in ["2023-11-14T22:13:20.000042", "2023-11-14T22:13", "2023-11-14 22:13:20", "2023-11-14"] {
            let read = Moment::parse(text).map(|moment| moment.to_string());
            assert!(read.is_some_and(|read| read.starts_with(&text.replace(' ', "T"))), "{text}");
        }
        for text in ["", "yesterday", "2023-13-01", "2023-11-14T25:00", "14.11.2023"] {
            assert_eq!(Moment::parse(text), None, "{text}");
        }
        assert_eq!(Moment(0).format("%Y-%m-%d %H:%M"), "1970-01-01 00:00");
    }
}
