//! What several days say together about the values of a parameter.
//!
//! A day is a curve: what each value of a grid would have cost. The plain mean of a few days hangs on
//! the worst of them. For the fraction of the pool more can be said: liquidity has its price, which
//! rises evenly with the fraction, and a day with more to pay is short of liquidity up to a higher
//! fraction. So the days' shortage costs are taken for one curve at different places. Its shape is the
//! mean of the days' curves moved over each other, the places are taken to be normally distributed,
//! and the expected cost of a fraction follows from both.

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

/// Days from which on their spread says something.
const FEW_DAYS: usize = 3;

impl Outlook {
    /// What the days say together; `of_liquidity` if the parameter is the fraction of the pool.
    pub fn new(days: &[&Day], of_liquidity: bool) -> Self {
        let mean = mean_curve(days);
        if of_liquidity
            && days.len() >= FEW_DAYS
            && let Some(shortages) = Shortages::new(days, &mean)
        {
            return Self { expected: shortages.expected() };
        }
        Self { expected: mean }
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

/// Shortage costs of days, with the place of each.
struct Shortages {
    /// Cost of liquidity: at the start of the grid, and for each step.
    base: f64,
    slope: f64,
    curves: Vec<Vec<f64>>,
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
        let curves: Vec<Vec<f64>> =
            days.iter().map(|day| day.costs.iter().enumerate().map(shortage).collect()).collect();
        // A day's place is where its shortage has fallen to the size of the costs that can be expected.
        let least = mean.iter().copied().min_by(f64::total_cmp)?;
        let level = (2.0 * (least - base)).max(slope);
        let places = curves.iter().map(|curve| crossing(curve, level)).collect();
        Some(Self { base, slope, curves, places, points })
    }

    /// The days' curves moved over each other: shortage at a distance from the place of a day.
    fn shape(&self, distance: f64) -> f64 {
        let count = self.curves.len() as f64;
        let at = |(curve, place): (&Vec<f64>, &f64)| extended(curve, place + distance);
        self.curves.iter().zip(&self.places).map(at).sum::<f64>() / count
    }

    fn expected(&self) -> Vec<f64> {
        let count = self.places.len() as f64;
        let center = self.places.iter().sum::<f64>() / count;
        let variance = self.places.iter().map(|place| (place - center).powi(2)).sum::<f64>() / (count - 1.0);
        let spread = variance.sqrt();
        // Places of a normal distribution at even distances, with their weights.
        let deviations: Vec<f64> = (-11..=11).map(|step| f64::from(step) * 0.25).collect();
        let weights: Vec<f64> = deviations.iter().map(|z| libm::exp(-z * z / 2.0)).collect();
        let total: f64 = weights.iter().sum();
        (0..self.points)
            .map(|point| {
                let short = deviations.iter().zip(&weights).map(|(deviation, weight)| {
                    weight * self.shape(point as f64 - center - spread * deviation)
                });
                self.base + self.slope * point as f64 + short.sum::<f64>() / total
            })
            .collect()
    }
}

/// Where a falling curve reaches a level, between two points as if it fell by a constant factor.
fn crossing(curve: &[f64], level: f64) -> f64 {
    let Some(after) = curve.iter().position(|cost| *cost <= level) else {
        return curve.len().saturating_sub(1) as f64;
    };
    if after == 0 {
        return 0.0;
    }
    let (left, right) = (libm::log(curve[after - 1]), libm::log(curve[after].max(level * 1e-3)));
    (after - 1) as f64 + (left - libm::log(level)) / (left - right)
}

/// A curve beyond its ends: nothing is short behind the last point, and before the first one the curve
/// goes on as it begins, within reason.
fn extended(curve: &[f64], place: f64) -> f64 {
    const REASON: f64 = 5.0;
    if place >= (curve.len() - 1) as f64 {
        return 0.0;
    }
    match curve {
        [first, _, third, ..] if place < 0.0 => {
            let rate = (libm::log(first.max(1.0)) - libm::log(third.max(1.0))).max(0.0) / 2.0;
            first * libm::exp((-place * rate).min(REASON))
        }
        _ => interpolated(curve, place),
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

    #[test]
    fn one_bad_day_does_not_decide_alone() {
        let days = [day(5), day(6), day(4), day(5), day(25)];
        let all: Vec<&Day> = days.iter().collect();
        let typical = best(&Outlook::new(&all[..4], true));
        let with_bad_day = best(&Outlook::new(&all, true));
        assert!((10..=13).contains(&typical), "{typical}");
        assert!(with_bad_day > typical, "{with_bad_day}");
    }

    #[test]
    fn days_that_are_alike_recommend_what_each_of_them_does() {
        let days = [day(5), day(5), day(5)];
        let all: Vec<&Day> = days.iter().collect();
        assert_eq!(best(&Outlook::new(&all, true)), best(&Outlook::new(&all[..1], true)));
    }
}
