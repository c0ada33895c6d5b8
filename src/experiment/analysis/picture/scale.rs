//! An axis: which range it covers and where its ticks stand.

/// Ticks of an axis at most, about.
const TICKS: f64 = 8.0;

/// A range with ticks at round numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    low: f64,
    high: f64,
    step: f64,
}

impl Scale {
    /// A range of whole numbers, ends included.
    pub fn whole(low: f64, high: f64) -> Self {
        Self { low, high, step: round_step((high - low) / TICKS).max(1.0) }
    }

    /// A range around values, widened to round numbers; equal values get room on both sides.
    pub fn around(low: f64, high: f64) -> Self {
        let room = if high > low { (high - low) * 0.05 } else { (high.abs() * 0.1).max(1.0) };
        let step = round_step((high - low + 2.0 * room) / TICKS);
        // Costs are not negative: below nothing there is nothing to see.
        let low = if low >= 0.0 { (low - room).max(0.0) } else { low - room };
        Self { low: (low / step).floor() * step, high: ((high + room) / step).ceil() * step, step }
    }

    /// Where a value stands, from 0 to 1.
    pub fn share(&self, value: f64) -> f32 {
        ((value - self.low) / (self.high - self.low)) as f32
    }

    /// Its ticks, lowest first.
    pub fn ticks(&self) -> impl Iterator<Item = f64> {
        let Self { low, high, step } = *self;
        let first = (low / step).ceil() as i64;
        let last = (high / step + 1e-9).floor() as i64;
        (first..=last).map(move |tick| tick as f64 * step)
    }

    /// Whether its ticks are whole numbers.
    pub fn is_coarse(&self) -> bool {
        self.step >= 1.0
    }
}

/// The least of 1, 2, 5, 10, 20 … and 0.5, 0.2, … that is not below a width.
fn round_step(width: f64) -> f64 {
    if width <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(width.log10().floor());
    let step =
        [1.0, 2.0, 5.0].into_iter().map(|factor| factor * power).find(|step| *step >= width * 0.999_999);
    step.unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(scale: Scale) -> Vec<f64> {
        scale.ticks().collect()
    }

    #[test]
    fn ticks_are_round_and_cover_the_values() {
        assert_eq!(ticks(Scale::around(10.0, 100.0)), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0, 120.0]);
        assert_eq!(ticks(Scale::whole(0.0, 7.0)), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        assert_eq!(ticks(Scale::whole(0.0, 24.0)), [0.0, 5.0, 10.0, 15.0, 20.0]);
        assert_eq!(round_step(0.03), 0.05);
    }

    #[test]
    fn one_value_stands_inside() {
        for value in [0.0, 3.0, 1e12] {
            let scale = Scale::around(value, value);
            let share = scale.share(value);
            assert!((0.0..1.0).contains(&share), "{value}: {share}");
            assert!(scale.ticks().count() >= 2, "{value}");
        }
    }
}
