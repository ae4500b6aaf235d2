//! Places for I/Os in flight, each with its part of the buffer.

/// Who is free, and since when the others are under way.
pub(crate) struct Slots {
    /// The first `free` are free. The last one freed is used next, while its
    /// buffer is still in the cache.
    stack: Box<[u32]>,
    free: u32,
    submitted: Box<[u64]>,
}

impl Slots {
    pub(crate) fn new(depth: u32) -> Self {
        Self {
            stack: (0..depth).collect(),
            free: depth,
            // Not zeros, which might come from untouched memory.
            submitted: vec![u64::MAX; depth as usize].into_boxed_slice(),
        }
    }

    #[inline]
    pub(crate) fn free(&self) -> u32 {
        self.free
    }

    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the stack was made with a u32 length"
    )]
    pub(crate) fn in_flight(&self) -> u32 {
        self.stack.len() as u32 - self.free
    }

    /// The slots that the next batch is going to use; at most all free ones.
    #[inline]
    pub(crate) fn next(&self, batch: u32) -> &[u32] {
        &self.stack[(self.free - batch) as usize..self.free as usize]
    }

    /// Uses them, as of one moment: a batch becomes visible to the kernel by
    /// one store.
    #[inline]
    pub(crate) fn take(&mut self, batch: u32, now: u64) {
        let rest = self.free - batch;
        for &slot in &self.stack[rest as usize..self.free as usize] {
            self.submitted[slot as usize] = now;
        }
        self.free = rest;
    }

    /// Frees the slot that came back, and says when it was submitted.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the kernel gives back the number that it was given"
    )]
    pub(crate) fn release(&mut self, user_data: u64) -> u64 {
        let slot = user_data as u32;
        self.stack[self.free as usize] = slot;
        self.free += 1;
        self.submitted[slot as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_slot_is_in_flight_twice_and_each_remembers_its_own_batch() {
        let mut slots = Slots::new(4);
        let first = slots.next(2).to_vec();
        slots.take(2, 100);
        let second = slots.next(2).to_vec();
        slots.take(2, 200);
        assert!(first.iter().all(|slot| !second.contains(slot)));
        assert_eq!((slots.free(), slots.in_flight()), (0, 4));
        assert_eq!(slots.release(u64::from(second[0])), 200);
        assert_eq!(slots.release(u64::from(first[1])), 100);
        assert_eq!(slots.in_flight(), 2);
        assert_eq!(slots.next(1), [first[1]], "the last one freed comes first");
    }
}
