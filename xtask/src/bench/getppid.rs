//! The loop being measured: system calls that do nothing.

use std::time::Instant;

use anyhow::{Context as _, Result};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::{Pid, getppid};

use super::statistics;

/// Calls between two readings of the clock.
const CALLS: u32 = 200_000;
/// Readings. Their median is the result, so that an interruption of one or two
/// does not count.
const READINGS: usize = 9;

/// Nanoseconds that one system call takes on a CPU.
pub(super) fn nanoseconds_per_call(cpu: usize) -> Result<f64> {
    let mut set = CpuSet::new();
    set.set(cpu).context("there is no such CPU")?;
    sched_setaffinity(Pid::from_raw(0), &set).context("cannot use that CPU")?;
    let mut readings = Vec::with_capacity(READINGS);
    for _ in 0..READINGS {
        let begin = Instant::now();
        for _ in 0..CALLS {
            std::hint::black_box(getppid());
        }
        readings.push(begin.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS));
    }
    Ok(statistics::median(&readings))
}
