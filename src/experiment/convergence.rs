//! When an experiment has come to rest (spec 07, 12).

use std::collections::BTreeMap;

/// Settings of the detectors (spec 07, 1.3).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// Relative change that counts as stable.
    pub stability: f64,
    /// Values looked at.
    pub window: usize,
    /// Largest coefficient of variation in the window, exclusive.
    pub variation: f64,
    /// Largest regret against the best value.
    pub regret: f64,
}

/// Sees the total of each evaluation and says when the run has converged.
#[derive(Clone, Debug)]
pub struct Detector {
    kind: Kind,
    thresholds: Thresholds,
    values: Vec<f64>,
    best: Option<f64>,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Stability { stable_changes: usize },
    Bootstrap,
}

/// What the bootstrap detector looks at, over the window as far as it is filled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Diagnostics {
    /// Population deviation by mean; infinite for fewer than two values.
    pub variation: f64,
    /// Trend in the window.
    pub trend: MannKendall,
    /// How far the last value is above the best, relative to the best.
    pub regret: f64,
}

impl Detector {
    /// The detector of the deterministic modes (12.1).
    #[must_use]
    pub const fn stability(thresholds: Thresholds) -> Self {
        Self::new(Kind::Stability { stable_changes: 0 }, thresholds)
    }

    /// The detector of bootstrap mode (12.2).
    #[must_use]
    pub const fn bootstrap(thresholds: Thresholds) -> Self {
        Self::new(Kind::Bootstrap, thresholds)
    }

    const fn new(kind: Kind, thresholds: Thresholds) -> Self {
        Self { kind, thresholds, values: Vec::new(), best: None }
    }

    /// Takes the next total; the reason if the run has converged with it.
    pub fn record(&mut self, total: f64) -> Option<String> {
        let previous = self.values.last().copied();
        self.values.push(total);
        self.best = Some(self.best.map_or(total, |best| best.min(total)));
        let window = self.thresholds.window;
        match &mut self.kind {
            Kind::Stability { stable_changes } => {
                let stable =
                    previous.is_some_and(|previous| is_stable(previous, total, self.thresholds.stability));
                *stable_changes = if stable { *stable_changes + 1 } else { 0 };
                (*stable_changes >= window)
                    .then(|| format!("Stability achieved ({window} consecutive stable iterations)"))
            }
            Kind::Bootstrap => {
                let found = self.diagnostics()?;
                let rests = self.values.len() >= window
                    && found.variation < self.thresholds.variation
                    && !found.trend.has_trend
                    && found.regret <= self.thresholds.regret;
                rests.then(|| "All convergence criteria satisfied (CV, trend, regret)".to_owned())
            }
        }
    }

    /// The least value so far.
    #[must_use]
    pub const fn best(&self) -> Option<f64> {
        self.best
    }

    /// The figures of 12.2 after the last value; `None` before the first.
    #[must_use]
    pub fn diagnostics(&self) -> Option<Diagnostics> {
        let current = *self.values.last()?;
        let best = self.best?;
        let recent = &self.values[self.values.len().saturating_sub(self.thresholds.window)..];
        let regret = match best {
            0.0 if current == 0.0 => 0.0,
            0.0 => f64::INFINITY,
            best => (current - best) / best.abs(),
        };
        Some(Diagnostics { variation: variation(recent), trend: mann_kendall(recent), regret })
    }
}

/// Whether the change from `previous` to `current` is stable (12.1).
fn is_stable(previous: f64, current: f64, threshold: f64) -> bool {
    if previous == 0.0 {
        current.abs() < threshold
    } else {
        (current - previous).abs() / previous.abs() <= threshold
    }
}

/// Population deviation by the size of the mean.
fn variation(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return f64::INFINITY;
    }
    if values.iter().all(|value| *value == 0.0) {
        return 0.0;
    }
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    if mean == 0.0 {
        return f64::INFINITY;
    }
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
    variance.sqrt() / mean.abs()
}

/// The Mann-Kendall test for a trend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MannKendall {
    /// S: rising pairs less falling pairs.
    pub statistic: i64,
    /// Variance of S; 0 for fewer than four values.
    pub variance: f64,
    /// Standardised S.
    pub z: f64,
    /// Two-sided probability.
    pub p_value: f64,
    /// Whether there is a trend.
    pub has_trend: bool,
}

/// Tests a series for a trend (12.2).
#[must_use]
pub fn mann_kendall(values: &[f64]) -> MannKendall {
    let n = values.len() as i64;
    let mut statistic = 0_i64;
    for (i, earlier) in values.iter().enumerate() {
        for later in &values[i + 1..] {
            statistic += i64::from(later > earlier) - i64::from(later < earlier);
        }
    }
    let none = MannKendall { statistic, variance: 0.0, z: 0.0, p_value: 1.0, has_trend: false };
    if n < 2 {
        return none;
    }
    if n < 4 {
        let has_trend = statistic.abs() as f64 >= 0.75 * (n * (n - 1) / 2) as f64;
        return MannKendall { has_trend, p_value: if has_trend { 0.0 } else { 1.0 }, ..none };
    }
    let spread = |count: i64| count * (count - 1) * (2 * count + 5);
    let ties: i64 = tie_sizes(values).into_iter().map(spread).sum();
    let variance = (spread(n) - ties) as f64 / 18.0;
    if variance <= 0.0 {
        return MannKendall { variance, ..none };
    }
    let z = (statistic - statistic.signum()) as f64 / variance.sqrt();
    let normal = 0.5 * (1.0 + libm::erf(z.abs() / std::f64::consts::SQRT_2));
    let p_value = 2.0 * (1.0 - normal);
    MannKendall { variance, z, p_value, has_trend: p_value < 0.05, ..none }
}

/// Sizes of the groups of equal values, groups of one included (they add nothing).
fn tie_sizes(values: &[f64]) -> Vec<i64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.chunk_by(|a, b| a == b).map(|group| group.len() as i64).collect()
}

/// Fractions of the optimised agents by iteration, for temporal mode (12.3).
#[derive(Clone, Debug)]
pub struct PolicyStability {
    window: usize,
    fractions: BTreeMap<String, Vec<(u64, f64)>>,
}

impl PolicyStability {
    /// Nothing recorded for these agents yet.
    #[must_use]
    pub fn new(agents: &[String], window: usize) -> Self {
        Self { window, fractions: agents.iter().map(|agent| (agent.clone(), Vec::new())).collect() }
    }

    /// Records a fraction; the last one of an iteration counts.
    pub fn record(&mut self, agent: &str, iteration: u64, fraction: f64) {
        let entries = self.fractions.entry(agent.to_owned()).or_default();
        match entries.last_mut() {
            Some((last, value)) if *last == iteration => *value = fraction,
            _ => entries.push((iteration, fraction)),
        }
    }

    /// Whether every agent's last `window` fractions lie within 0.001 of the first of them.
    #[must_use]
    pub fn all_stable(&self) -> bool {
        const TOLERANCE: f64 = 0.001;
        self.fractions.values().all(|entries| {
            let Some(start) = entries.len().checked_sub(self.window) else { return false };
            let recent = &entries[start..];
            recent.first().is_none_or(|(_, first)| {
                recent.iter().all(|(_, fraction)| (fraction - first).abs() <= TOLERANCE)
            })
        })
    }

    /// Iteration and fraction of each record of an agent.
    #[must_use]
    pub fn history(&self, agent: &str) -> &[(u64, f64)] {
        self.fractions.get(agent).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Thresholds = Thresholds { stability: 0.0, window: 1, variation: 0.03, regret: 0.1 };

    #[test]
    fn nothing_to_nothing_is_not_stable_at_threshold_zero() {
        let mut detector = Detector::stability(STRICT);
        assert_eq!(detector.record(0.0), None);
        assert_eq!(detector.record(0.0), None);
        assert_eq!(detector.best(), Some(0.0));
    }

    #[test]
    fn a_window_of_one_never_converges_by_samples() {
        let mut detector = Detector::bootstrap(STRICT);
        assert!((0..10).all(|_| detector.record(5.0).is_none()));
    }
}
