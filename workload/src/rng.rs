//! Pseudo-random numbers, the same on every machine for the same seed.

/// `SplitMix64` (Steele, Lea and Flood, 2014): one word of state, and every seed
/// is a good one.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// Begins the sequence of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    #[inline]
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number below `limit`, which must not be 0, by a multiplication instead
    /// of a division. The bias is at most `limit` in 2^64.
    #[inline]
    pub const fn below(&mut self, limit: u64) -> u64 {
        ((self.next_u64() as u128 * limit as u128) >> 64) as u64
    }

    /// One of some values, or nothing if there are none.
    pub fn pick<'a, T>(&mut self, values: &'a [T]) -> Option<&'a T> {
        if values.is_empty() {
            return None;
        }
        let place = self.below(values.len() as u64);
        usize::try_from(place)
            .ok()
            .and_then(|place| values.get(place))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published first values of the generator for the seed 0, and every
    /// number below a limit, about as often as the others.
    #[test]
    fn the_sequence_is_the_published_one_and_even() {
        let mut rng = Rng::new(0);
        assert_eq!(rng.next_u64(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(rng.next_u64(), 0x6e78_9e6a_a1b9_65f4);
        let mut seen = [0_u32; 7];
        for _ in 0..7_000 {
            seen[usize::try_from(rng.below(7)).unwrap()] += 1;
        }
        assert!(seen.iter().all(|&n| (850..1_150).contains(&n)), "{seen:?}");
        assert_eq!(rng.pick::<u8>(&[]), None);
    }
}
