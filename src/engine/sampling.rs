//! Random draws of automatic arrivals (spec 01, 8). The functions are the program's own
//! (`libm`), so that results do not depend on the machine (P2).

use crate::money::Cents;
use crate::rng::Rng;
use crate::scenario::{AmountDistribution, Band, PriorityDistribution};

/// A Poisson count (8.1). A rate that is not above 0 draws nothing.
pub(super) fn poisson(rate: f64, rng: &mut Rng) -> u64 {
    if rate.is_nan() || rate <= 0.0 {
        return 0;
    }
    let limit = libm::exp(-rate);
    let (mut count, mut product) = (0, 1.0);
    loop {
        count += 1;
        product *= rng.unit();
        if product <= limit {
            return count - 1;
        }
    }
}

/// A standard normal value (8.2).
fn standard_normal(rng: &mut Rng) -> f64 {
    let (u1, u2) = (rng.unit(), rng.unit());
    libm::sqrt(-2.0 * libm::log(u1)) * libm::cos(2.0 * std::f64::consts::PI * u2)
}

/// An amount of at least 1 cent (8.3).
pub(super) fn amount(distribution: &AmountDistribution, rng: &mut Rng) -> Cents {
    match *distribution {
        AmountDistribution::Uniform { min, max } => Cents(rng.range(min, i128::from(max) + 1).max(1)),
        AmountDistribution::Normal { mean, std_dev } => {
            let raw = mean as f64 + std_dev as f64 * standard_normal(rng);
            positive(raw).map_or(Cents(1), to_cents)
        }
        AmountDistribution::LogNormal { mean, .. } if mean.is_nan() || mean <= 0.0 => Cents(1),
        AmountDistribution::LogNormal { mean, std_dev } => {
            let q = libm::log(1.0 + (std_dev * std_dev) / (mean * mean));
            let (sigma, mu) = (libm::sqrt(q), libm::log(mean) - q / 2.0);
            let raw = libm::exp(mu + sigma * standard_normal(rng));
            to_cents(positive(raw).unwrap_or(mean))
        }
        AmountDistribution::Exponential { lambda } => {
            let raw = -libm::log(rng.unit().max(f64::MIN_POSITIVE)) / lambda;
            positive(raw).map_or(Cents(1), to_cents)
        }
    }
}

fn positive(raw: f64) -> Option<f64> {
    (raw.is_finite() && raw > 0.0).then_some(raw)
}

/// Rounds half away from zero into 1 … 2^63 − 1; the conversion saturates.
fn to_cents(raw: f64) -> Cents {
    Cents((raw.round() as i64).max(1))
}

/// A deadline offset in ticks, both ends included: one draw (8.4).
pub(super) fn deadline_offset((min, max): (i64, i64), rng: &mut Rng) -> u64 {
    rng.range(min, i128::from(max) + 1).max(0).unsigned_abs()
}

/// A priority by the distribution of a bank (8.4).
pub(super) fn priority(distribution: &PriorityDistribution, rng: &mut Rng) -> u8 {
    match distribution {
        PriorityDistribution::Fixed(priority) => *priority,
        PriorityDistribution::Uniform { min, max } => rng.range((*min).into(), i128::from(*max) + 1) as u8,
        PriorityDistribution::Categorical { values, weights } => {
            let position = weighted_position(weights, weights.iter().sum(), rng);
            values.get(position).copied().unwrap_or_default()
        }
    }
}

/// A priority inside a band: one draw (8.4).
pub(super) fn band_priority(band: Band, rng: &mut Rng) -> u8 {
    let (lo, hi) = match band {
        Band::Urgent => (8, 11),
        Band::Normal => (4, 8),
        Band::Low => (0, 4),
    };
    rng.range(lo, hi) as u8
}

/// The position that a draw over weights falls on; the last if none is reached (8.4, 8.5).
pub(super) fn weighted_position(weights: &[f64], total: f64, rng: &mut Rng) -> usize {
    let mut target = rng.unit() * total;
    for (position, weight) in weights.iter().enumerate() {
        target -= weight;
        if target <= 0.0 {
            return position;
        }
    }
    weights.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eight(distribution: AmountDistribution) -> Vec<i64> {
        let mut rng = Rng::new(2024);
        (0..8).map(|_| amount(&distribution, &mut rng).0).collect()
    }

    #[test]
    fn amounts_are_the_specified_ones() {
        let uniform = AmountDistribution::Uniform { min: 100, max: 200 };
        assert_eq!(eight(uniform), [138, 127, 116, 152, 161, 117, 122, 172]);
        let normal = AmountDistribution::Normal { mean: 1000, std_dev: 400 };
        assert_eq!(eight(normal), [1074, 1180, 936, 1686, 1258, 484, 149, 460]);
        let log_normal = AmountDistribution::LogNormal { mean: 50_000.0, std_dev: 30_000.0 };
        assert_eq!(eight(log_normal), [47_528, 55_017, 39_238, 110_991, 61_300, 20_974, 13_186, 20_292]);
        let exponential = AmountDistribution::Exponential { lambda: 0.0001 };
        assert_eq!(eight(exponential), [215, 26_181, 17_584, 15_537, 1361, 12_054, 30_839, 1377]);
    }

    #[test]
    fn counts_are_the_specified_ones() {
        let mut rng = Rng::new(42);
        let counts: Vec<u64> = (0..8).map(|_| poisson(2.5, &mut rng)).collect();
        assert_eq!(counts, [6, 3, 2, 0, 2, 4, 2, 4]);
        let mut rng = Rng::new(7);
        let counts: Vec<u64> = (0..12).map(|_| poisson(0.3, &mut rng)).collect();
        assert_eq!(counts, [2, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0, 2]);
        let mut untouched = Rng::new(5);
        assert_eq!((poisson(0.0, &mut untouched), poisson(f64::NAN, &mut untouched)), (0, 0));
        assert_eq!(untouched, Rng::new(5));
    }

    #[test]
    fn normal_values_are_the_specified_ones() {
        let mut rng = Rng::new(42);
        for expected in [
            0.296_033_015_087_169_2,
            0.644_377_979_445_386_8,
            0.376_075_756_201_508_46,
            -1.656_499_497_187_166,
        ] {
            assert!((standard_normal(&mut rng) - expected).abs() < 1e-15);
        }
    }
}
