//! Cost rates as integers, so that every machine charges the same cent (spec 03, 1.3 and 8.3).

use crate::money::Cents;
use crate::scenario::{Band, CostRates};

/// A float rate times a power of ten, rounded; what is no usable rate is 0.
#[must_use]
pub fn scaled_rate(rate: f64, scale: f64) -> u128 {
    if rate.is_finite() && rate >= 0.0 { (rate * scale).round() as u128 } else { 0 }
}

/// A multiplier in thousandths; what is no usable multiplier is 1.
fn scaled_multiplier(multiplier: f64) -> u128 {
    if multiplier.is_finite() && multiplier >= 0.0 { (multiplier * 1000.0).round() as u128 } else { 1000 }
}

/// Half-up division into cents, held at the largest amount.
#[must_use]
pub fn hdiv(numerator: u128, divisor: u128) -> Cents {
    let quotient = numerator.saturating_add(divisor / 2) / divisor;
    i64::try_from(quotient).map_or(Cents::MAX, Cents)
}

/// What a queued payment weighs in the delay cost of its bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DelayWeights {
    /// The delay rate in millionths.
    pub rate: u128,
    overdue: u128,
    bands: Option<[u128; 3]>,
}

impl DelayWeights {
    /// The weights of a scenario's rates.
    #[must_use]
    pub fn new(rates: &CostRates) -> Self {
        Self {
            rate: scaled_rate(rates.delay_cost_per_tick_per_cent, 1_000_000.0),
            overdue: scaled_multiplier(rates.overdue_delay_multiplier),
            bands: rates.priority_delay_multipliers.map(|bands| bands.map(scaled_multiplier)),
        }
    }

    /// The weight of a payment in thousandths.
    #[must_use]
    pub fn weight(&self, overdue: bool, priority: u8) -> u128 {
        let weight = if overdue { self.overdue } else { 1000 };
        match self.bands {
            Some(bands) => weight.saturating_mul(bands[Band::of(priority) as usize]) / 1000,
            None => weight,
        }
    }

    /// Remaining amount times weight: what a payment adds in a tick before the one rounding.
    #[must_use]
    pub fn contribution(&self, remaining: Cents, overdue: bool, priority: u8) -> u128 {
        u128::try_from(remaining.0).unwrap_or(0).saturating_mul(self.weight(overdue, priority))
    }

    /// The cost of a sum of contributions.
    #[must_use]
    pub fn cost(&self, contributions: u128) -> Cents {
        hdiv(contributions.saturating_mul(self.rate), 1_000_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Penalty;

    fn rates(overdue: f64, bands: Option<[f64; 3]>) -> CostRates {
        CostRates {
            overdraft_bps_per_tick: 0.0,
            delay_cost_per_tick_per_cent: 0.0001,
            collateral_cost_per_tick_bps: 0.0,
            liquidity_cost_per_tick_bps: 0.0,
            eod_penalty: Penalty::Fixed(Cents::ZERO),
            deadline_penalty: Penalty::Fixed(Cents::ZERO),
            split_friction_cost: Cents::ZERO,
            overdue_delay_multiplier: overdue,
            priority_delay_multipliers: bands,
        }
    }

    #[test]
    fn rates_that_are_none_count_nothing_and_multipliers_one() {
        assert_eq!(scaled_rate(0.0005, 1000.0), 1);
        assert_eq!(scaled_rate(0.000_49, 1000.0), 0);
        assert_eq!(scaled_rate(f64::INFINITY, 1000.0), 0);
        let weights = DelayWeights::new(&rates(f64::INFINITY, None));
        assert_eq!(weights.weight(true, 5), 1000);
    }

    #[test]
    fn band_and_overdue_multipliers_are_cut_to_thousandths() {
        let weights = DelayWeights::new(&rates(1.5, Some([0.333, 1.0, 2.0])));
        assert_eq!(weights.weight(true, 8), 499);
        assert_eq!(weights.weight(false, 3), 2000);
        assert_eq!(weights.cost(weights.contribution(Cents(1_000_000), false, 5)), Cents(100));
    }

    #[test]
    fn halves_are_rounded_up_and_the_result_is_held() {
        assert_eq!(hdiv(5, 10), Cents(1));
        assert_eq!(hdiv(4, 10), Cents(0));
        assert_eq!(hdiv(u128::MAX, 10), Cents::MAX);
    }
}
