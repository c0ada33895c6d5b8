//! What several days say together about the values of a parameter.
//!
//! A day is a curve: what each value of a grid would have cost. The plain mean of a few days hangs on
//! the worst of them. For the fraction of the pool more can be said: liquidity has its price, which
//! rises evenly with the fraction, and a day with more to pay is short of liquidity up to a higher
//! fraction. So the days' shortage costs are taken for one curve at different places: its shape is the
//! mean of the days' curves moved over each other, and the places are normally distributed.
//!
//! How far the places spread is the hard part: two dozen days hardly show it, and the first ones do not
//! at all. But a day's curve is the mean of its samples, whose payments come at times and in numbers of
//! their own: the more they differ, the more slowly it falls. Days are expected to differ as the samples
//! of one day do, until they are many enough to say otherwise.

/// Costs of the values of a grid on one day.
#[derive(Clone, Debug)]
pub struct Day {
    costs: Vec<f64>,
}

impl Day {
    /// The costs, in the order of the grid.
    pub const fn new(costs: Vec<f64>) -> Self {
        Self { costs }
    }
}

/// Expected costs of the values of a grid.
#[derive(Clone, Debug)]
pub struct Outlook {
    expected: Vec<f64>,
}

impl Outlook {
    /// What the days say together; `of_liquidity` if the parameter is the fraction of the pool.
    pub fn new(days: &[&Day], of_liquidity: bool) -> Self {
        let mean = mean_curve(days);
        let shortages = if of_liquidity { Shortages::new(days, &mean) } else { None };
        Self { expected: shortages.and_then(|shortages| shortages.expected()).unwrap_or(mean) }
    }

    /// Expected cost at a place of the grid, between two values by interpolation.
    pub fn expected(&self, place: f64) -> f64 {
        interpolated(&self.expected, place)
    }
}

fn mean_curve(days: &[&Day]) -> Vec<f64> {
    let points = days.iter().map(|day| day.costs.len()).min().unwrap_or(0);
    let count = days.len().max(1) as f64;
    (0..points).map(|point| days.iter().map(|day| day.costs[point]).sum::<f64>() / count).collect()
}

/// Days for which the expectation counts that they spread as the samples of a day do.
const EXPECTED_DAYS: f64 = 24.0;

/// Shortage costs of days, with the place of each.
struct Shortages {
    /// Cost of liquidity: at the start of the grid, and for each step.
    base: f64,
    slope: f64,
    curves: Vec<Falling>,
    places: Vec<f64>,
    points: usize,
}

impl Shortages {
    /// `None` if costs do not rise towards the end of the grid, as those of liquidity do.
    fn new(days: &[&Day], mean: &[f64]) -> Option<Self> {
        let points = mean.len();
        let [.., before, last] = mean else { return None };
        let slope = last - before;
        if slope <= 0.0 {
            return None;
        }
        let base = last - slope * (points - 1) as f64;
        let shortage = |(point, cost): (usize, &f64)| (cost - base - slope * point as f64).max(0.0);
        let curve = |day: &&Day| Falling(day.costs.iter().enumerate().map(shortage).collect());
        let curves: Vec<Falling> = days.iter().map(curve).collect();
        // A day's place is where its shortage has fallen to the size of the costs that can be expected.
        let least = mean.iter().copied().min_by(f64::total_cmp)?;
        let level = (2.0 * (least - base)).max(slope);
        let places = curves.iter().map(|curve| curve.place(level)).collect();
        Some(Self { base, slope, curves, places, points })
    }

    /// The days' curves moved over each other: shortage at a distance from the place of a day.
    fn shape(&self, distance: f64) -> f64 {
        let count = self.curves.len() as f64;
        let at = |(curve, place): (&Falling, &f64)| curve.at(place + distance);
        self.curves.iter().zip(&self.places).map(at).sum::<f64>() / count
    }

    /// How far samples of a day spread: twice the distance over which a shortage falls to an e-th, as the
    /// tail of a normal distribution does at one to two deviations from its centre; not at all if it ends
    /// at once. `None` if it does not fall.
    fn width(&self) -> Option<f64> {
        let (before, after) = (self.shape(-1.0), self.shape(1.0));
        (after < before).then(|| if after > 0.0 { 4.0 / libm::log(before / after) } else { 0.0 })
    }

    /// Expected costs of the points on a day to come, whose place is uncertain by the spread of the places
    /// and by what so many days leave open about their centre.
    fn expected(&self) -> Option<Vec<f64>> {
        let count = self.places.len() as f64;
        let center = self.places.iter().sum::<f64>() / count;
        let squares = self.places.iter().map(|place| (place - center).powi(2)).sum::<f64>();
        let variance = (EXPECTED_DAYS * self.width()?.powi(2) + squares) / (EXPECTED_DAYS + count - 1.0);
        let spread = (variance * (1.0 + 1.0 / count)).sqrt();
        // Places of a normal distribution at even distances, with their weights.
        let deviations: Vec<f64> = (-11..=11).map(|step| f64::from(step) * 0.25).collect();
        let weights: Vec<f64> = deviations.iter().map(|z| libm::exp(-z * z / 2.0)).collect();
        let total: f64 = weights.iter().sum();
        let cost = |point: usize| {
            let short = deviations
                .iter()
                .zip(&weights)
                .map(|(deviation, weight)| weight * self.shape(point as f64 - center - spread * deviation));
            self.base + self.slope * point as f64 + short.sum::<f64>() / total
        };
        Some((0..self.points).map(cost).collect())
    }
}

/// Shortage costs of a day over the grid. Behind its last point nothing is short; before the first one
/// the curve goes on as it begins, within reason.
struct Falling(Vec<f64>);

impl Falling {
    /// How many times the curve may grow by a factor of e before the first point.
    const REASON: f64 = 5.0;

    fn at(&self, place: f64) -> f64 {
        if place >= self.0.len().saturating_sub(1) as f64 {
            0.0
        } else if place < 0.0 {
            self.first() * libm::exp((-place * self.rate()).min(Self::REASON))
        } else {
            interpolated(&self.0, place)
        }
    }

    /// Where the curve reaches a level, between two points as if it fell by a constant factor.
    fn place(&self, level: f64) -> f64 {
        let Some(after) = self.0.iter().position(|cost| *cost <= level) else {
            return self.0.len().saturating_sub(1) as f64;
        };
        if after > 0 {
            let (left, right) = (libm::log(self.0[after - 1]), libm::log(self.0[after].max(level * 1e-3)));
            return (after - 1) as f64 + (left - libm::log(level)) / (left - right);
        }
        let rate = self.rate();
        let growth = libm::log(level / self.first().max(1.0)).clamp(0.0, Self::REASON);
        if rate > 0.0 { -growth / rate } else { 0.0 }
    }

    fn first(&self) -> f64 {
        self.0.first().copied().unwrap_or(0.0)
    }

    /// Logarithm of the factor by which the curve falls with a step at its beginning.
    fn rate(&self) -> f64 {
        let [first, _, third, ..] = self.0.as_slice() else { return 0.0 };
        (libm::log(first.max(1.0)) - libm::log(third.max(1.0))).max(0.0) / 2.0
    }
}

fn interpolated(curve: &[f64], place: f64) -> f64 {
    let Some(last) = curve.len().checked_sub(1) else { return 0.0 };
    let place = place.clamp(0.0, last as f64);
    let left = place.floor() as usize;
    let part = place - left as f64;
    curve[left] * (1.0 - part) + curve[(left + 1).min(last)] * part
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Liquidity at 10 a step; a shortage of 1000 that halves with every step, from `start` on.
    fn day(start: i32) -> Day {
        let cost = |point: i32| 10.0 * f64::from(point) + 1000.0 * 2_f64.powi((start - point).min(0));
        Day::new((0..=100).map(cost).collect())
    }

    fn best(outlook: &Outlook) -> usize {
        (0..=100)
            .min_by(|a, b| outlook.expected(*a as f64).total_cmp(&outlook.expected(*b as f64)))
            .unwrap_or(0)
    }

    fn best_after(days: &[Day], of_liquidity: bool) -> usize {
        best(&Outlook::new(&days.iter().collect::<Vec<_>>(), of_liquidity))
    }

    #[test]
    fn one_bad_day_counts_and_does_not_decide_alone() {
        let usual = [day(5), day(6), day(4), day(5)];
        let with_bad_day = [usual.as_slice(), &[day(25)]].concat();
        let (before, after) = (best_after(&usual, true), best_after(&with_bad_day, true));
        assert!(before < after && after < 25, "{before}, {after}");
        assert!(best_after(&with_bad_day, false) > after, "the plain mean hangs on the worst day");
    }

    #[test]
    fn the_fewer_the_days_the_more_caution() {
        let best: Vec<usize> = [1, 2, 5, 25].map(|count| best_after(&vec![day(5); count], true)).to_vec();
        assert!(best.is_sorted_by(|fewer, more| fewer >= more) && best[0] > best[3], "{best:?}");
        // What the day itself would have wanted.
        assert!(best[3] > best_after(&[day(5)], false), "{best:?}");
    }

    #[test]
    fn a_day_that_is_short_of_nothing_asks_for_less() {
        let calm = Day::new((0..=100).map(|point| 10.0 * f64::from(point)).collect());
        let days = [day(5), day(6)];
        assert!(best_after(&[&days[..], &[calm]].concat(), true) < best_after(&days, true));
    }

    #[test]
    fn shortages_that_end_at_once_leave_nothing_to_be_careful_about() {
        let cost = |point: i32| 10.0 * f64::from(point) + if point < 20 { 5000.0 } else { 0.0 };
        let cliff = Day::new((0..=100).map(cost).collect());
        assert_eq!(best_after(&vec![cliff; 3], true), 20);
    }
}
