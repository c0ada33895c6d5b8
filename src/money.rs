//! Money: signed 64-bit cents (spec 00, P1).

use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount of money in cents. Arithmetic on it is explicit: checked where a
/// result is booked, saturating where a figure only feeds a decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cents(pub i64);

impl Cents {
    /// No money.
    pub const ZERO: Self = Self(0);
    /// The largest amount that can be held.
    pub const MAX: Self = Self(i64::MAX);

    /// The plain number of cents.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The sum, or `None` beyond 64 bits.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// The difference, or `None` beyond 64 bits.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.0.checked_sub(other.0) {
            Some(difference) => Some(Self(difference)),
            None => None,
        }
    }

    /// The sum, held at the ends of the range.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, held at the ends of the range.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The amount of 128-bit cents, held at the ends of the range.
    #[must_use]
    pub fn saturating_from(wide: i128) -> Self {
        Self(i64::try_from(wide).unwrap_or(if wide < 0 { i64::MIN } else { i64::MAX }))
    }

    /// The larger of this and nothing: what is left of a shortfall.
    #[must_use]
    pub fn or_zero(self) -> Self {
        self.max(Self::ZERO)
    }
}

/// Shows currency units with thousands separators: `-1,234.56`.
impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        let text = format!("{sign}{}.{:02}", grouped(magnitude / 100), magnitude % 100);
        f.pad(&text)
    }
}

impl Cents {
    /// With its unit: `-$1,234.56`.
    #[must_use]
    pub fn dollars(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        format!("{sign}${}", self.to_string().trim_start_matches('-'))
    }
}

/// A count with thousands separators: `1,234,567`.
#[must_use]
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count of things: `1 payment`, `2,000 payments`.
#[must_use]
pub fn counted(count: u64, thing: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", grouped(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_stands_before_the_unit() {
        assert_eq!((Cents(-776).dollars(), Cents(123_456).dollars()), ("-$7.76".into(), "$1,234.56".into()));
    }

    #[test]
    fn shows_currency_units() {
        assert_eq!(Cents(-123_456).to_string(), "-1,234.56");
        assert_eq!(Cents(5).to_string(), "0.05");
        assert_eq!(Cents(i64::MIN).to_string(), "-92,233,720,368,547,758.08");
        assert_eq!(format!("{:>8}", Cents(100)), "    1.00");
    }

    #[test]
    fn sums_are_checked() {
        assert_eq!(Cents::MAX.checked_add(Cents(1)), None);
        assert_eq!(Cents(3).checked_sub(Cents(5)), Some(Cents(-2)));
        assert_eq!(Cents::saturating_from(i128::MIN), Cents(i64::MIN));
    }
}
