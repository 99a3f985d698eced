//! Numbers that look random and are the same at every run.

use std::sync::atomic::{AtomicU64, Ordering};

use grantkeeper_domain::services::Random;

const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// `SplitMix64` (Steele, Lea and Flood, 2014). Good enough to pick rows and to make up tokens of a database that is
/// thrown away; whoever knows one number knows all that follow.
pub(crate) struct Sequence(AtomicU64);

impl Sequence {
    /// The sequence of that number.
    pub(crate) const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// The next number.
    pub(crate) fn next(&self) -> u64 {
        let mut z = self.0.fetch_add(GOLDEN_GAMMA, Ordering::Relaxed).wrapping_add(GOLDEN_GAMMA);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The next number, brought below `end`: the high half of a product (Lemire, 2019), without its last correction.
    pub(crate) fn below(&self, end: u64) -> u64 {
        let product = u128::from(self.next()) * u128::from(end);
        u64::try_from(product >> 64).expect("the high half of 128 bits has 64")
    }
}

impl Random for Sequence {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_splitmix64() {
        // The first outputs of the reference implementation for this seed.
        let sequence = Sequence::new(1_234_567);
        assert_eq!(sequence.next(), 6_457_827_717_110_365_317);
        assert_eq!(sequence.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn every_number_below_the_end_comes_up_and_no_other() {
        let sequence = Sequence::new(7);
        let mut seen = [0; 10];
        for _ in 0..1_000 {
            seen[usize::try_from(sequence.below(10)).unwrap()] += 1;
        }
        assert!(seen.iter().all(|times| *times > 50), "{seen:?}");
    }
}
