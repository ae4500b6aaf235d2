//! The hot loop: submit, reap, and stay out of the kernel.
//!
//! Nothing in here allocates, prints or touches memory for the first time
//! (the lazy bitmap apart, on purpose). With SQPOLL there is no system call
//! either, unless the kernel's thread has fallen asleep.

use std::io;

use io_uring::{
    CompletionQueue, EnterFlags, IoUring, SubmissionQueue, Submitter, opcode, squeue, types,
};

use crate::{
    bitmap::BlockMap,
    clock::Clock,
    latency::Latencies,
    rng::Rng,
    slots::Slots,
    sys::{memory::Mapping, process::stop_requested},
};

/// Turns of the loop with nothing to do between two looks at the clock.
const IDLE_TURNS: u32 = 256;

/// When to stop submitting, whichever comes first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    pub(crate) ios: u64,
    pub(crate) ticks: u64,
}

/// What one stretch of load did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) ios: u64,
    pub(crate) errors: u64,
    /// The first result that was not as wanted: negative is an errno, anything
    /// else a short read.
    pub(crate) first_error: Option<i32>,
    /// System calls that woke the submission thread.
    pub(crate) wakeups: u64,
    /// System calls, those included.
    pub(crate) enters: u64,
    /// From beginning to end, drained.
    pub(crate) ticks: u64,
}

/// What every submission looks like.
pub(crate) struct Load<'a> {
    /// `None`: operations that do nothing.
    pub(crate) memory: Option<&'a Mapping>,
    pub(crate) block_size: u32,
    pub(crate) depth: u32,
    pub(crate) batch: u32,
    pub(crate) sqpoll: bool,
    pub(crate) seed: u64,
}

/// Everything the loop needs, made beforehand.
pub(crate) struct Engine<'a> {
    submitter: Submitter<'a>,
    sq: SubmissionQueue<'a>,
    cq: CompletionQueue<'a>,
    load: Load<'a>,
    slots: Slots,
    rng: Rng,
    clock: Clock,
    latencies: Latencies,
    tally: Tally,
}

impl<'a> Engine<'a> {
    pub(crate) fn new(
        ring: &'a mut IoUring,
        load: Load<'a>,
        clock: Clock,
        latencies: Latencies,
    ) -> Self {
        let (mut submitter, sq, cq) = ring.split();
        // Saves the kernel a look-up per call; unknown before 5.18, and then
        // calls work as they always did.
        let _unknown = submitter.register_ring_fd();
        Self {
            submitter,
            sq,
            cq,
            slots: Slots::new(load.depth),
            rng: Rng::new(load.seed),
            load,
            clock,
            latencies,
            tally: Tally::default(),
        }
    }

    /// Forgets the latencies so far.
    pub(crate) fn clear_latencies(&mut self) {
        self.latencies.clear();
    }

    pub(crate) fn latencies(&self) -> &Latencies {
        &self.latencies
    }

    /// Reads blocks that `map` hands out until a limit or a signal, and until
    /// everything in flight has come back.
    ///
    /// # Errors
    ///
    /// Those of `io_uring_enter`, which with SQPOLL is hardly ever called.
    pub(crate) fn run(&mut self, map: &mut BlockMap, limit: Limit) -> io::Result<Tally> {
        self.tally = Tally::default();
        let began = self.clock.ticks();
        let mut now = began;
        let mut left = limit.ios;
        let mut idle_turns = 0;
        loop {
            let submitted = self.submit(map, left);
            left -= u64::from(submitted);
            if left == 0 && self.slots.in_flight() == 0 {
                break;
            }
            self.hand_over(submitted)?;
            if let Some(reaped_at) = self.reap() {
                now = reaped_at;
            } else {
                std::hint::spin_loop();
                idle_turns += 1;
                if idle_turns < IDLE_TURNS {
                    continue;
                }
                idle_turns = 0;
                self.rouse()?;
                now = self.clock.ticks();
            }
            if now.wrapping_sub(began) >= limit.ticks || stop_requested() {
                left = 0;
            }
        }
        self.tally.ticks = now.wrapping_sub(began);
        Ok(self.tally)
    }

    /// Fills one batch and shows it to the kernel with a single store. Nothing
    /// while less than a whole batch is free.
    #[inline]
    fn submit(&mut self, map: &mut BlockMap, left: u64) -> u32 {
        let batch = u32::try_from(left).unwrap_or(u32::MAX).min(self.load.batch);
        if batch == 0 || self.slots.free() < batch {
            return 0;
        }
        if self.sq.capacity() - self.sq.len() < batch as usize {
            // The kernel frees entries at the end of its own batch, a moment
            // after their completions are seen.
            self.sq.sync();
            if self.sq.capacity() - self.sq.len() < batch as usize {
                return 0;
            }
        }
        let blocks = map.blocks();
        for &slot in self.slots.next(batch) {
            let block = map.take(self.rng.below(blocks));
            let entry = self.load.entry(slot, block);
            // SAFETY: the slot's part of the registered memory is mapped as
            // long as the ring, and no other operation in flight has it.
            let pushed = unsafe { self.sq.push(&entry) };
            debug_assert!(pushed.is_ok(), "room was checked above");
        }
        self.slots.take(batch, self.clock.ticks());
        self.sq.sync();
        batch
    }

    /// Makes sure that the kernel looks: with SQPOLL by waking its thread if
    /// it sleeps, otherwise by submitting, and waiting if nothing is there.
    #[inline]
    fn hand_over(&mut self, submitted: u32) -> io::Result<()> {
        if self.load.sqpoll {
            // Contains the full fence between our tail and the kernel's flag;
            // less, and both sides could miss each other's store.
            if submitted > 0 && self.sq.need_wakeup() {
                return self.wake();
            }
            return Ok(());
        }
        let wait = self.cq.is_empty();
        if submitted == 0 && !wait {
            return Ok(());
        }
        self.tally.enters += 1;
        tolerate(self.submitter.submit_and_wait(usize::from(wait)))
    }

    /// Wakes the thread if it sleeps in front of work, as it could had an
    /// earlier wake-up been lost.
    #[cold]
    fn rouse(&mut self) -> io::Result<()> {
        self.sq.sync();
        if self.load.sqpoll && !self.sq.is_empty() && self.sq.need_wakeup() {
            return self.wake();
        }
        Ok(())
    }

    #[cold]
    fn wake(&mut self) -> io::Result<()> {
        self.tally.wakeups += 1;
        self.tally.enters += 1;
        let flags = EnterFlags::SQ_WAKEUP.bits();
        // SAFETY: a wake-up passes no argument, and every entry in the queue
        // is valid until its completion.
        let woken = unsafe { self.submitter.enter::<libc::sigset_t>(0, 0, flags, None) };
        tolerate(woken)
    }

    /// Takes every completion that is there, and says when it saw them.
    #[inline]
    fn reap(&mut self) -> Option<u64> {
        if self.cq.is_empty() {
            self.cq.sync();
            if self.cq.is_empty() {
                return None;
            }
        }
        let now = self.clock.ticks();
        let wanted = self.load.wanted_result();
        for completion in &mut self.cq {
            let submitted = self.slots.release(completion.user_data());
            let ticks = now.wrapping_sub(submitted);
            self.latencies.record(self.clock.ns(ticks));
            self.tally.ios += 1;
            if completion.result() != wanted {
                self.tally.errors += 1;
                self.tally.first_error.get_or_insert(completion.result());
            }
        }
        // Gives the room back before anything new is submitted: the queue is
        // no larger than what can be in flight.
        self.cq.sync();
        Some(now)
    }
}

impl Load<'_> {
    #[inline]
    fn entry(&self, slot: u32, block: u64) -> squeue::Entry {
        let Some(memory) = self.memory else {
            return opcode::Nop::new().build().user_data(u64::from(slot));
        };
        let start = slot as usize * self.block_size as usize;
        let buffer = memory.as_mut_ptr().wrapping_add(start);
        opcode::ReadFixed::new(types::Fixed(0), buffer, self.block_size, 0)
            .offset(block * u64::from(self.block_size))
            .build()
            .user_data(u64::from(slot))
    }

    fn wanted_result(&self) -> i32 {
        match self.memory {
            Some(_) => i32::try_from(self.block_size).unwrap_or(i32::MAX),
            None => 0,
        }
    }
}

/// A signal, or a kernel short of room for the moment, is no error: the loop
/// comes back.
fn tolerate(result: io::Result<usize>) -> io::Result<()> {
    match result {
        Ok(_) => Ok(()),
        Err(error)
            if matches!(
                error.raw_os_error(),
                Some(libc::EINTR | libc::EAGAIN | libc::EBUSY)
            ) =>
        {
            Ok(())
        }
        Err(error) => Err(error),
    }
}
