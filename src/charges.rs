//! Delay cost: weights, rounding and the estimate for display (spec 03, 1.3, 8.3 and 10.3).

use crate::money::Cents;

/// A rate as a whole number of 1/`scale`: rounded, halves away from zero; a rate that is
/// negative, infinite or no number scales to 0.
#[must_use]
pub fn scaled(rate: f64, scale: f64) -> u128 {
    if rate.is_finite() && rate > 0.0 { (rate * scale).round() as u128 } else { 0 }
}

/// A multiplier as a whole number of thousandths; one that is negative, infinite or no
/// number counts as 1.
#[must_use]
pub fn scaled_multiplier(multiplier: f64) -> u128 {
    if multiplier.is_finite() && multiplier >= 0.0 { (multiplier * 1000.0).round() as u128 } else { 1000 }
}

/// Division that rounds halves up, held at the largest 64-bit amount.
#[must_use]
pub fn half_up(numerator: u128, divisor: u128) -> Cents {
    let quotient = numerator.saturating_add(divisor / 2) / divisor;
    Cents(i64::try_from(quotient).unwrap_or(i64::MAX))
}

/// How queued payments are weighed and charged for delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DelayRates {
    rate: u128,
    /// By band (urgent, normal, low), first on time, then overdue, in thousandths.
    weights: [[u128; 3]; 2],
}

impl DelayRates {
    /// From cents per queued cent and tick, the factor for overdue payments and, if given,
    /// the factors of the bands urgent, normal, low.
    #[must_use]
    pub fn new(per_cent_and_tick: f64, overdue: f64, bands: Option<[f64; 3]>) -> Self {
        let weigh = |base: u128| match bands {
            None => [base; 3],
            Some(bands) => bands.map(|band| base.saturating_mul(scaled_multiplier(band)) / 1000),
        };
        Self {
            rate: scaled(per_cent_and_tick, 1_000_000.0),
            weights: [weigh(1000), weigh(scaled_multiplier(overdue))],
        }
    }

    /// The weight of a payment for one tick, in thousandths.
    #[must_use]
    pub const fn weight(&self, is_overdue: bool, priority: u8) -> u128 {
        let band = match priority {
            8.. => 0,
            4..=7 => 1,
            _ => 2,
        };
        self.weights[is_overdue as usize][band]
    }

    /// The charge for a sum of contributions: remaining amounts times weights.
    #[must_use]
    pub fn charge(&self, contributions: u128) -> Cents {
        half_up(contributions.saturating_mul(self.rate), 1_000_000_000)
    }
}

/// The delay cost shown for an overdue payment: an estimate, unrelated to what is charged.
#[must_use]
pub fn estimated_delay_cost(
    remaining: Cents,
    per_cent_and_tick: f64,
    overdue_multiplier: f64,
    ticks: u64,
) -> Cents {
    let estimate = remaining.0 as f64 * per_cent_and_tick * overdue_multiplier * ticks as f64;
    Cents(estimate.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_multiply_and_truncate() {
        let rates = DelayRates::new(0.1, 1.5, Some([0.333, 1.0, 0.0]));
        assert_eq!(rates.weight(true, 9), 499);
        assert_eq!(rates.weight(false, 9), 333);
        assert_eq!(rates.weight(true, 5), 1500);
        assert_eq!(rates.weight(false, 0), 0);
    }

    #[test]
    fn one_rounding_half_up() {
        let rates = DelayRates::new(0.5, 5.0, None);
        assert_eq!(rates.charge(1000), Cents(1));
        assert_eq!(rates.charge(999), Cents(0));
        assert_eq!(half_up(u128::MAX, 2), Cents::MAX);
    }

    #[test]
    fn rates_that_are_no_numbers_do_not_count() {
        for rate in [f64::NAN, f64::INFINITY, -1.0] {
            assert_eq!(scaled(rate, 1000.0), 0);
            assert_eq!(scaled_multiplier(rate), 1000);
        }
        assert_eq!(scaled(0.0005, 1000.0), 1);
        assert_eq!(scaled(0.000_49, 1000.0), 0);
    }

    #[test]
    fn the_estimate_saturates() {
        assert_eq!(estimated_delay_cost(Cents(100), 0.1, 2.0, 3), Cents(60));
        assert_eq!(estimated_delay_cost(Cents(100), 0.1, f64::INFINITY, 3), Cents::MAX);
        assert_eq!(estimated_delay_cost(Cents(100), 0.1, f64::INFINITY, 0), Cents::ZERO);
    }
}
