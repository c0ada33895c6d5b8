//! Seeds of an experiment: all of them follow from the master seed (spec 07, 3).

use sha2::{Digest as _, Sha256};

use crate::rng::Rng;

/// Results of the hash are reduced to 31 bits.
const MODULUS: u64 = 1 << 31;

/// The iteration seed I(i, a): seed of full runs, and base of the samples of agent `agent`.
/// Iterations count from 0; the master seed is its decimal text, of any size.
#[must_use]
pub fn iteration_seed(master_seed: &str, iteration: u64, agent: &str) -> u64 {
    let hash = leading_bits(&format!("{master_seed}:iter:{iteration}:agent:{agent}"));
    (hash >> 32) % MODULUS
}

/// The seed S(b, k) of sample `k` on the base `base`: of the draws and of the run in the sandbox.
#[must_use]
pub fn sample_seed(base: u64, sample: usize) -> u64 {
    leading_bits(&format!("{base}:sample:{sample}")) % MODULUS
}

/// The seed of a repetition of a sweep, the same for every point (spec 07, 18.1).
#[must_use]
pub fn sweep_seed(master_seed: &str, repetition: u32) -> u64 {
    (leading_bits(&format!("{master_seed}:sweep:{repetition}")) >> 32) % MODULUS
}

/// The stream of the built-in search in one call, counted from 1 (spec 07, 10.5).
#[must_use]
pub fn search_stream(master_seed: &str, iteration: u64, agent: &str, call: u64) -> Rng {
    Rng::new(leading_bits(&format!("{master_seed}:search:{iteration}:agent:{agent}:call:{call}")))
}

/// The first eight bytes of the SHA-256 of a text, big-endian.
fn leading_bits(text: &str) -> u64 {
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().take(8).fold(0, |bits, byte| (bits << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_follow_from_the_master_seed() {
        assert_eq!(iteration_seed("42", 0, "BANK_A"), 1_088_125_515);
        assert_eq!(sample_seed(1_088_125_515, 0), 58_745_492);
    }

    #[test]
    fn a_master_seed_may_be_of_any_size() {
        let huge = "123456789012345678901234567890123456789012345";
        assert_ne!(iteration_seed(huge, 0, "A"), iteration_seed(huge, 1, "A"));
    }
}
