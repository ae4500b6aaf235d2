//! Submitting to a ring and waiting for its answers, call by call counted.

use std::{thread, time::Duration};

use io_uring::{EnterFlags, squeue};

use crate::{
    error::WorkloadError,
    plan::RingMode,
    ring::{Ring, RingPlan},
    sys::process::{monotonic_ns, stop_requested},
};

/// How long to wait for what ought to come at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often to look.
const LOOK_EVERY: Duration = Duration::from_millis(1);

/// A ring with a submission thread, and a count of our system calls.
pub(super) struct Exchange {
    pub(super) ring: Ring,
    pub(super) enter_calls: usize,
}

impl Exchange {
    pub(super) fn begin(sq_idle_ms: u32) -> Result<Self, WorkloadError> {
        let ring = Ring::build(&RingPlan {
            mode: RingMode {
                sqpoll: true,
                iopoll: false,
            },
            depth: 8,
            sq_cpu: None,
            sq_idle_ms,
        })?;
        Ok(Self {
            ring,
            enter_calls: 0,
        })
    }

    /// Shows entries to the kernel, and calls nobody.
    ///
    /// # Safety
    ///
    /// What the entries point to must stay valid until they have completed.
    pub(super) unsafe fn show(&mut self, entries: &[squeue::Entry]) -> Result<(), WorkloadError> {
        let mut queue = self.ring.io.submission();
        // SAFETY: as the caller promises.
        let pushed = unsafe { queue.push_multiple(entries) };
        pushed.map_err(|error| WorkloadError::Internal(error.to_string()))
    }

    /// Does the submission thread sleep?
    pub(super) fn asleep(&mut self) -> bool {
        self.ring.io.submission().need_wakeup()
    }

    /// Wakes it with one system call.
    pub(super) fn wake(&mut self) -> Result<(), WorkloadError> {
        self.enter_calls += 1;
        let submitter = self.ring.io.submitter();
        let flags = EnterFlags::SQ_WAKEUP.bits();
        // SAFETY: a wake-up passes no argument.
        let woken = unsafe { submitter.enter::<libc::sigset_t>(0, 0, flags, None) };
        woken
            .map(drop)
            .map_err(WorkloadError::system("io_uring_enter failed"))
    }

    /// Results so far that nobody has taken, as (mark, result).
    pub(super) fn take_results(&mut self) -> Vec<(u64, i32)> {
        let completions = self.ring.io.completion();
        completions
            .map(|completion| (completion.user_data(), completion.result()))
            .collect()
    }

    /// Waits for so many results, in order of their marks; fewer if they do
    /// not come. Wakes the thread if it sleeps.
    pub(super) fn results(&mut self, count: usize) -> Result<Vec<i32>, WorkloadError> {
        if self.asleep() {
            self.wake()?;
        }
        let mut results = Vec::new();
        wait_until(|| {
            results.extend(self.take_results());
            results.len() >= count
        });
        results.sort_unstable();
        Ok(results.into_iter().map(|(_, result)| result).collect())
    }
}

/// Looks again and again, until it is so, a signal comes or patience ends.
pub(super) fn wait_until(mut is_so: impl FnMut() -> bool) -> bool {
    let began = monotonic_ns();
    loop {
        if is_so() {
            return true;
        }
        let waited = Duration::from_nanos(monotonic_ns() - began);
        if waited >= PATIENCE || stop_requested() {
            return false;
        }
        thread::sleep(LOOK_EVERY);
    }
}
