//! The map of blocks already read, in which the classic experiment lives.
//!
//! Random reads that hit each block once per pass need one bit per block. Over
//! 64 GiB of 512-byte blocks that is 16 MiB: 4,096 pages, of which each costs
//! a page fault when it is first touched, in the middle of the measurement.
//!
//! Above the bits lie summaries, one bit per full word of the level below, as
//! in fio's axmap, so that the next free block is found in a handful of steps
//! however full the map is. Only the lowest level is ever left untouched.

use std::io;

use crate::sys::{
    huge_pages,
    memory::{Backing, Fill, Mapping},
};

const BITS: u64 = 64;

/// Every bit of a level, and which bits of its last word exist.
struct Level {
    words: Mapping,
    bits: u64,
}

impl Level {
    fn new(bits: u64, backing: Backing) -> io::Result<Self> {
        let bytes = usize::try_from(bits.div_ceil(BITS) * 8).map_err(io::Error::other)?;
        Ok(Self {
            words: Mapping::new(bytes, backing)?,
            bits,
        })
    }

    /// The bits of word `index` that stand for something.
    fn valid(&self, index: u64) -> u64 {
        let present = self.bits - index * BITS;
        if present >= BITS {
            u64::MAX
        } else {
            (1 << present) - 1
        }
    }
}

/// Hands out every block exactly once per pass.
pub(crate) struct BlockMap {
    levels: Vec<Level>,
    /// Applied to every word by XOR: a new pass turns the meaning of the bits
    /// around instead of clearing 16 MiB in the middle of a measurement.
    flip: u64,
    left: u64,
    passes: u64,
    /// One byte per page of the lowest level, kept in populated memory, so
    /// that counting touched pages touches none.
    touched: Box<[u8]>,
    words_per_page_log2: u32,
}

impl BlockMap {
    /// Bytes of the lowest level in huge pages, if this kernel tells.
    pub(crate) fn huge_bytes(&self) -> Option<usize> {
        let lowest = self.levels.first()?;
        huge_pages::bytes_around(lowest.words.words().as_ptr().addr())
    }

    /// A map of `blocks` blocks, of which `backing` decides where the memory of
    /// its lowest level is from, and whether it is populated now or on first use.
    pub(crate) fn new(blocks: u64, backing: impl Into<Backing>) -> io::Result<Self> {
        let mut levels = vec![Level::new(blocks, backing.into())?];
        let mut bits = blocks.div_ceil(BITS);
        while bits > 1 {
            levels.push(Level::new(bits, Fill::Now.into())?);
            bits = bits.div_ceil(BITS);
        }
        let pages = levels[0].words.pages();
        Ok(Self {
            levels,
            flip: 0,
            left: blocks,
            passes: 0,
            // Written, not merely zeroed: zeroed memory may be untouched.
            touched: vec![u8::MAX; pages].into_boxed_slice(),
            words_per_page_log2: (crate::sys::memory::page_bytes() / 8).trailing_zeros(),
        }
        .with_nothing_touched())
    }

    fn with_nothing_touched(mut self) -> Self {
        self.touched.fill(0);
        self
    }

    /// Blocks in the map.
    pub(crate) fn blocks(&self) -> u64 {
        self.levels[0].bits
    }

    /// Pages of the lowest level.
    pub(crate) fn pages(&self) -> u64 {
        self.touched.len() as u64
    }

    /// Pages of the lowest level that were written so far.
    pub(crate) fn pages_touched(&self) -> u64 {
        self.touched.iter().map(|&page| u64::from(page)).sum()
    }

    /// Passes finished.
    pub(crate) fn passes(&self) -> u64 {
        self.passes
    }

    /// Takes block `wish`, or the next free one after it, round the end.
    ///
    /// `wish` must be below [`Self::blocks`].
    #[inline]
    pub(crate) fn take(&mut self, wish: u64) -> u64 {
        if self.left == 0 {
            self.flip = !self.flip;
            self.left = self.blocks();
            self.passes += 1;
        }
        self.left -= 1;
        self.touch(wish / BITS);
        let block = if self.is_free(wish) {
            wish
        } else {
            // Something is left, so one of the two finds it.
            let next = self.next_free(wish);
            next.or_else(|| self.next_free(0)).unwrap_or(wish)
        };
        self.mark(block);
        block
    }

    #[inline]
    fn is_free(&self, block: u64) -> bool {
        (self.word(0, block / BITS) ^ self.flip) >> (block % BITS) & 1 == 0
    }

    /// Makes the first access to a page a write. A read would map the kernel's
    /// page of zeros, and the write after it would be a second fault.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the level was allocated, so its indices fit in a usize"
    )]
    fn touch(&mut self, index: u64) {
        let page = &mut self.touched[(index >> self.words_per_page_log2) as usize];
        if *page == 0 {
            *page = 1;
            self.levels[0].words.words_mut()[index as usize] = 0;
        }
    }

    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the level was allocated, so its indices fit in a usize"
    )]
    fn word(&self, level: usize, index: u64) -> u64 {
        self.levels[level].words.words()[index as usize]
    }

    /// Free bits of one word.
    fn free(&self, level: usize, index: u64) -> u64 {
        !(self.word(level, index) ^ self.flip) & self.levels[level].valid(index)
    }

    /// The first free block from `start` on: up the summaries until one has
    /// room behind us, then down into it.
    fn next_free(&mut self, start: u64) -> Option<u64> {
        let mut position = start;
        let mut level = 0;
        self.touch(start / BITS);
        loop {
            if position >= self.levels[level].bits {
                return None;
            }
            let index = position / BITS;
            let free = self.free(level, index) & (u64::MAX << (position % BITS));
            if free != 0 {
                position = index * BITS + u64::from(free.trailing_zeros());
                break;
            }
            level += 1;
            if level == self.levels.len() {
                return None;
            }
            position = index + 1;
        }
        while level > 0 {
            level -= 1;
            if level == 0 {
                self.touch(position);
            }
            let free = self.free(level, position);
            position = position * BITS + u64::from(free.trailing_zeros());
        }
        Some(position)
    }

    #[inline]
    fn mark(&mut self, block: u64) {
        let flip = self.flip;
        let mut bit = block;
        for level in &mut self.levels {
            let index = bit / BITS;
            let valid = level.valid(index);
            let word = &mut level.words.words_mut()[index as usize];
            *word ^= 1 << (bit % BITS);
            if (*word ^ flip) & valid != valid {
                break;
            }
            bit = index;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    /// One pass of `map` with random wishes, as a count per block.
    fn pass(map: &mut BlockMap, rng: &mut Rng) -> Vec<u32> {
        let blocks = map.blocks();
        let mut seen = vec![0; usize::try_from(blocks).unwrap()];
        for _ in 0..blocks {
            let block = map.take(rng.below(blocks));
            seen[usize::try_from(block).unwrap()] += 1;
        }
        seen
    }

    #[test]
    fn every_pass_reads_each_block_exactly_once() {
        for (seed, blocks) in [1, 2, 63, 64, 65, 127, 4095, 4096, 4097, 70_000, 300_001]
            .into_iter()
            .enumerate()
        {
            let mut rng = Rng::new(seed as u64);
            let mut map = BlockMap::new(blocks, Fill::OnTouch).unwrap();
            for round in 0..3 {
                let seen = pass(&mut map, &mut rng);
                assert!(
                    seen.iter().all(|&count| count == 1),
                    "{blocks} blocks, pass {round}"
                );
            }
        }
    }

    #[test]
    fn a_taken_block_gives_way_to_the_next_free_one_and_round_the_end() {
        let mut map = BlockMap::new(130, Fill::Now).unwrap();
        assert_eq!(map.take(64), 64);
        assert_eq!(map.take(64), 65);
        assert_eq!(map.take(129), 129);
        assert_eq!(map.take(129), 0);
        assert_eq!(map.take(0), 1);
    }

    #[test]
    fn a_full_stretch_is_jumped_over() {
        let blocks = 64 * 64 * 3;
        let mut map = BlockMap::new(blocks, Fill::Now).unwrap();
        for block in 0..blocks - 1 {
            assert_eq!(map.take(block), block);
        }
        assert_eq!(map.take(7), blocks - 1);
        assert_eq!(map.passes(), 0);
        assert_eq!(map.take(7), 7, "the next pass starts with every block free");
        assert_eq!(map.passes(), 1);
    }

    #[test]
    fn touched_pages_are_those_that_were_written() {
        let per_page = crate::sys::memory::page_bytes() as u64 * 8;
        let mut map = BlockMap::new(per_page * 4, Fill::OnTouch).unwrap();
        assert_eq!((map.pages(), map.pages_touched()), (4, 0));
        map.take(0);
        map.take(per_page - 1);
        map.take(per_page * 3);
        assert_eq!(map.pages_touched(), 2);
    }
}
