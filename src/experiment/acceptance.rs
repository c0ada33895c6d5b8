//! Whether a proposal replaces the policy in force (spec 07, 11).

use super::statistics::{Interval, Spread, floor_mean, spread};

/// What a proposal must satisfy to be accepted (spec 07, 1.2).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Criteria {
    /// Least settlement rate, 0 to 1 (X6).
    pub min_settlement_rate: f64,
    /// The 95 % interval of the differences must lie above 0 (X5).
    pub require_significance: bool,
    /// Largest coefficient of variation of the new policy's costs.
    pub max_variation: Option<f64>,
}

/// Costs of the old and the new policy of one agent on the same samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Mean cost of the policy in force, rounded down, in cents.
    pub mean_old: i64,
    /// Mean cost of the proposal, rounded down, in cents.
    pub mean_new: i64,
    /// Old minus new, sample by sample.
    pub deltas: Vec<i64>,
    /// Their sum.
    pub delta_sum: i128,
    /// Deviation and interval of the new policy's costs.
    pub new_spread: Option<Spread>,
    /// Interval of the differences.
    pub interval: Option<Interval>,
    /// Settlement rate under the new policy.
    pub settlement_rate: f64,
}

impl Comparison {
    /// Compares costs that were measured in pairs.
    #[must_use]
    pub fn new(old: &[i64], new: &[i64], settlement_rate: f64) -> Self {
        let deltas: Vec<i64> = old.iter().zip(new).map(|(old, new)| old.saturating_sub(*new)).collect();
        Self {
            mean_old: floor_mean(old),
            mean_new: floor_mean(new),
            delta_sum: deltas.iter().map(|delta| i128::from(*delta)).sum(),
            new_spread: spread(new),
            interval: spread(&deltas).map(|spread| spread.interval),
            deltas,
            settlement_rate,
        }
    }

    /// Judges the proposal; the first check that fails decides.
    #[must_use]
    pub fn judge(&self, criteria: &Criteria) -> Verdict {
        let rate = percent(self.settlement_rate);
        if self.settlement_rate < criteria.min_settlement_rate {
            let minimum = percent(criteria.min_settlement_rate);
            return Refusal::SettlementFloor.because(&format!("{rate} is below the minimum {minimum}"));
        }
        if self.delta_sum <= 0 {
            return Refusal::NoImprovement.because(&format!("delta_sum = {}", self.delta_sum));
        }
        let mut reason = format!("accepted: delta_sum = {}; settlement rate {rate}", self.delta_sum);
        if let Some(Interval { lower, upper }) = self.interval.filter(|_| criteria.require_significance) {
            if lower <= 0 {
                let interval = format!("95% interval of the differences [{lower}, {upper}]");
                return Refusal::NotSignificant.because(&interval);
            }
            reason.push_str(&format!("; 95% interval [{lower}, {upper}]"));
        }
        if let (Some(limit), Some(Spread { deviation, .. })) = (criteria.max_variation, self.new_spread)
            && self.mean_new > 0
        {
            let variation = deviation as f64 / self.mean_new as f64;
            if variation > limit {
                let (deviation, mean) = (dollars(deviation), dollars(self.mean_new));
                return Refusal::TooVariable.because(&format!(
                    "CV {variation:.3} exceeds {limit} (deviation {deviation}, mean {mean})"
                ));
            }
            reason.push_str(&format!("; CV {variation:.3}"));
        }
        Verdict { accepted: true, reason }
    }
}

/// Which check refused a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// Too few payments settle (11.1).
    SettlementFloor,
    /// It is not cheaper (11.2).
    NoImprovement,
    /// It may be cheaper by chance (11.3).
    NotSignificant,
    /// Its cost varies too much (11.4).
    TooVariable,
}

impl Refusal {
    /// In the order of the checks.
    pub const ALL: [Self; 4] =
        [Self::SettlementFloor, Self::NoImprovement, Self::NotSignificant, Self::TooVariable];

    /// The check behind a recorded reason; `None` if the reason is of no check.
    #[must_use]
    pub fn of_reason(reason: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|refusal| reason.starts_with(refusal.beginning()))
    }

    /// How its reasons begin.
    const fn beginning(self) -> &'static str {
        match self {
            Self::SettlementFloor => "settlement rate ",
            Self::NoImprovement => "no improvement: ",
            Self::NotSignificant => "improvement not significant: ",
            Self::TooVariable => "cost too variable: ",
        }
    }

    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::SettlementFloor => "settlement rate below the minimum",
            Self::NoImprovement => "no improvement",
            Self::NotSignificant => "improvement not significant",
            Self::TooVariable => "cost too variable",
        }
    }

    fn because(self, why: &str) -> Verdict {
        Verdict { accepted: false, reason: format!("{}{why}", self.beginning()) }
    }
}

/// The outcome of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the proposal replaces the policy in force.
    pub accepted: bool,
    /// Which checks decided, in words.
    pub reason: String,
}

/// A rate in per cent with two decimals, half to even.
fn percent(rate: f64) -> String {
    format!("{:.2}%", rate * 100.0)
}

/// Cents as `$12.34`, without separators.
fn dollars(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let magnitude = cents.unsigned_abs();
    format!("{sign}${}.{:02}", magnitude / 100, magnitude % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_round_half_to_even() {
        assert_eq!(percent(0.5), "50.00%");
        assert_eq!(format!("{:.2}", 0.125), "0.12");
        assert_eq!(format!("{:.2}", 0.375), "0.38");
    }

    #[test]
    fn the_check_that_refused_is_known_by_its_reason() {
        let strict =
            Criteria { min_settlement_rate: 0.95, require_significance: true, max_variation: Some(0.1) };
        for (old, new, rate, refusal) in [
            ([10, 10], [1, 1], 0.5, Refusal::SettlementFloor),
            ([1, 1], [2, 2], 1.0, Refusal::NoImprovement),
            ([9, 1], [1, 2], 1.0, Refusal::NotSignificant),
            ([900, 970], [70, 140], 1.0, Refusal::TooVariable),
        ] {
            let verdict = Comparison::new(&old, &new, rate).judge(&strict);
            assert!(!verdict.accepted);
            assert_eq!(Refusal::of_reason(&verdict.reason), Some(refusal), "{}", verdict.reason);
        }
        assert_eq!(Refusal::of_reason("accepted: delta_sum = 3"), None);
    }

    #[test]
    fn the_settlement_floor_comes_first() {
        let floor = Criteria { min_settlement_rate: 0.95, require_significance: false, max_variation: None };
        let worse_and_unsettled = Comparison::new(&[1], &[2], 0.9).judge(&floor);
        assert_eq!(worse_and_unsettled.reason, "settlement rate 90.00% is below the minimum 95.00%");
    }
}
