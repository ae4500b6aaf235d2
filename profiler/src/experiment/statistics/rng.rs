//! A small generator of random numbers, the same on every machine, so that an
//! experiment analysed again gives the same intervals.

/// `SplitMix64` (Steele, Lea and Flood, 2014): one 64-bit word of state.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// Begins the sequence of a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number below `bound`, which must not be 0. The bias of the
    /// multiplication is below `bound` in 2^64.
    pub fn below(&mut self, bound: usize) -> usize {
        let wide = u128::from(self.next_u64()) * (bound as u128);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the upper half of the product is below the bound"
        )]
        let number = (wide >> 64) as usize;
        number
    }

    /// One of some values, or nothing if there are none.
    pub fn pick(&mut self, values: &[f64]) -> Option<f64> {
        (!values.is_empty()).then(|| values[self.below(values.len())])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published first values of the generator for the seed 0, and every
    /// number below a bound, about as often as the others.
    #[test]
    fn the_sequence_is_the_published_one_and_even() {
        let mut rng = Rng::new(0);
        assert_eq!(rng.next_u64(), 0xe220_a839_7b1d_cdaf);
        assert_eq!(rng.next_u64(), 0x6e78_9e6a_a1b9_65f4);
        let mut seen = [0_u32; 7];
        for _ in 0..7_000 {
            seen[rng.below(7)] += 1;
        }
        assert!(seen.iter().all(|&n| (850..1_150).contains(&n)), "{seen:?}");
    }
}
