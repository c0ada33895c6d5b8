//! Deviation and 95 % interval of the costs of N samples (spec 07, 13).

/// What N ≥ 2 values say; all figures truncated toward zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// Sample deviation.
    pub deviation: i64,
    /// 95 % interval of the mean.
    pub interval: Interval,
}

/// An interval of cents, ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// Lower end.
    pub lower: i64,
    /// Upper end.
    pub upper: i64,
}

/// Deviation and interval of the values; `None` for fewer than two.
#[must_use]
pub fn spread(values: &[i64]) -> Option<Spread> {
    let n = values.len();
    if n < 2 {
        return None;
    }
    let sum: i128 = values.iter().map(|value| i128::from(*value)).sum();
    let mean = sum as f64 / n as f64;
    let deviation = variance(values, mean).sqrt();
    let margin = quantile(n - 1) * (deviation / (n as f64).sqrt());
    let interval = Interval { lower: (mean - margin) as i64, upper: (mean + margin) as i64 };
    Some(Spread { deviation: deviation as i64, interval })
}

/// The mean of integer costs, rounded down; 0 without values.
#[must_use]
pub fn floor_mean(values: &[i64]) -> i64 {
    let sum: i128 = values.iter().map(|value| i128::from(*value)).sum();
    let count = values.len().max(1) as i128;
    // The mean of 64-bit values is one.
    i64::try_from(sum.div_euclid(count)).unwrap_or(i64::MAX)
}

/// Sample variance from exact sums; sums beyond 128 bits fall back to floats.
fn variance(values: &[i64], mean: f64) -> f64 {
    let n = values.len() as i128;
    let exact = || {
        let shift = i128::from(*values.first()?);
        let (mut sum, mut squares) = (0_i128, 0_i128);
        for value in values {
            let shifted = i128::from(*value) - shift;
            sum = sum.checked_add(shifted)?;
            squares = squares.checked_add(shifted.checked_mul(shifted)?)?;
        }
        n.checked_mul(squares)?.checked_sub(sum.checked_mul(sum)?)
    };
    match exact() {
        Some(numerator) => numerator as f64 / (n * (n - 1)) as f64,
        None => values.iter().map(|value| (*value as f64 - mean).powi(2)).sum::<f64>() / (n - 1) as f64,
    }
}

/// The 97.5 % quantile of Student's t as tabulated; between entries the next lower one counts.
fn quantile(degrees: usize) -> f64 {
    const TABLE: [(usize, f64); 19] = [
        (1, 12.706),
        (2, 4.303),
        (3, 3.182),
        (4, 2.776),
        (5, 2.571),
        (6, 2.447),
        (7, 2.365),
        (8, 2.306),
        (9, 2.262),
        (10, 2.228),
        (15, 2.131),
        (20, 2.086),
        (25, 2.060),
        (30, 2.042),
        (40, 2.021),
        (50, 2.009),
        (60, 2.000),
        (80, 1.990),
        (100, 1.984),
    ];
    if degrees > 100 {
        return 1.96;
    }
    TABLE.iter().rev().find(|(entry, _)| *entry <= degrees).map_or(12.706, |(_, t)| *t)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_value_has_no_spread() {
        assert_eq!(spread(&[5]), None);
        assert_eq!(spread(&[7, 7]), Some(Spread { deviation: 0, interval: Interval { lower: 7, upper: 7 } }));
    }

    #[test]
    fn the_largest_costs_do_not_overflow() {
        let spread = spread(&[i64::MAX, 0, i64::MAX, 0]);
        assert!(spread.is_some_and(|spread| spread.deviation > 5_000_000_000_000_000_000));
        assert_eq!(floor_mean(&[i64::MAX, i64::MAX]), i64::MAX);
        assert_eq!(floor_mean(&[-1, 0]), -1);
    }
}
