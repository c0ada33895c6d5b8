//! The random number generator: xorshift64* (spec 01, 7).

use serde::{Deserialize, Serialize};

/// A stream of random numbers; its whole state is one 64-bit integer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rng {
    state: u64,
}

impl Rng {
    /// Starts the stream of a seed; seed 0 gives the stream of seed 1.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: if seed == 0 { 1 } else { seed } }
    }

    /// The next 64 random bits.
    pub const fn next(&mut self) -> u64 {
        let mut x = self.state;
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        self.state = x;
        x.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// An integer in `lo..hi`; `hi` may be 2^63, so bounds are wider than the result.
    /// The slight bias of the remainder is part of the specified behaviour.
    pub fn range(&mut self, lo: i64, hi: i128) -> i64 {
        let span = u64::try_from(hi - i128::from(lo)).unwrap_or(u64::MAX).max(1);
        lo.wrapping_add_unsigned(self.next() % span)
    }

    /// A float in [0, 1).
    pub const fn unit(&mut self) -> f64 {
        const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
        (self.next() >> 11) as f64 * STEP
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_outputs_are_the_specified_ones() {
        for (seed, expected) in [
            (1, [0x47e4_ce4b_896c_dd1d, 0xabcf_a6a8_e079_651d, 0xb9d1_0d8f_eb73_1f57]),
            (42, [0x56ce_4ab7_719b_a3a0, 0xc841_eb53_ebbb_2dda, 0xca46_6be0_c998_0276]),
            (12_345, [0x9857_fb32_c9ef_b5e4, 0xc0ce_ba4b_4a71_bce4, 0x1399_ce5b_8adb_52c4]),
            (u64::MAX, [0xf92c_c9e5_c600_0000, 0x8ff4_84d8_fd1e_aee3, 0x346c_95f3_326f_abc6]),
        ] {
            let mut rng = Rng::new(seed);
            assert_eq!([rng.next(), rng.next(), rng.next()], expected, "seed {seed}");
        }
        assert_eq!(Rng::new(0), Rng::new(1));
    }

    #[test]
    fn units_and_ranges_are_the_specified_ones() {
        let mut rng = Rng::new(42);
        assert_eq!(rng.unit(), 0.339_085_264_001_921_96);
        assert_eq!(rng.unit(), 0.782_255_847_919_924_3);
        let mut rng = Rng::new(42);
        let drawn: Vec<i64> = (0..8).map(|_| rng.range(0, 10)).collect();
        assert_eq!(drawn, [0, 8, 6, 5, 8, 5, 2, 3]);
    }
}
