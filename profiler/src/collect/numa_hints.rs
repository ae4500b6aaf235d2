//! NUMA-hint faults of the whole machine, beside those that are entries.

use std::collections::BTreeMap;

use anyhow::Result;
use aya::Ebpf;
use profiler_common::{
    names::{map, program},
    numa,
};
use serde::{Deserialize, Serialize};

use super::bpf_maps::per_cpu_totals;
use crate::probe::session::Session;

/// How many of them the kernel has counted during the window, and whose they were.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumaHints {
    /// `numa_hint_faults` of `/proc/vmstat`: of all the machine.
    pub machine: u64,
    /// By who had them, if the kernel let a program look.
    pub seen: Option<Seen>,
}

/// NUMA-hint faults by who had them, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Measured threads, in user mode: entries.
    pub target_user: u64,
    /// Measured threads, in the kernel.
    pub target_kernel: u64,
    /// The kernel's threads in measured processes.
    pub target_io_uring: u64,
    /// The profiler.
    pub profiler: u64,
    /// Everybody else, in user mode.
    pub other_user: u64,
    /// Everybody else, in the kernel.
    pub other_kernel: u64,
}

impl Seen {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.target_user
            + self.target_kernel
            + self.target_io_uring
            + self.profiler
            + self.other_user
            + self.other_kernel
    }
}

/// The counter's value now. None where pages are not balanced between nodes: then
/// there is nothing to compare.
#[must_use]
pub fn machine_count() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/vmstat").ok()?;
    count_in(&text)
}

/// The counter in the format of `/proc/vmstat`.
fn count_in(text: &str) -> Option<u64> {
    let mut lines = text.lines();
    let count = lines.find_map(|line| line.strip_prefix("numa_hint_faults "))?;
    count.trim().parse().ok()
}

/// What the machine has counted during the window, and whose that was.
///
/// # Errors
/// If the map cannot be read.
pub fn of(session: &mut Session, machine: u64) -> Result<NumaHints> {
    let seen = if session.probes.has(program::NUMA_HINT) {
        Some(seen(session.ebpf())?)
    } else {
        None
    };
    Ok(NumaHints { machine, seen })
}

/// What the program has seen.
fn seen(ebpf: &Ebpf) -> Result<Seen> {
    let totals: BTreeMap<u32, u64> = (0..).zip(per_cpu_totals(ebpf, map::NUMA_HINTS)?).collect();
    let of = |who: u32| totals.get(&who).copied().unwrap_or(0);
    Ok(Seen {
        target_user: of(numa::TARGET_USER),
        target_kernel: of(numa::TARGET_KERNEL),
        target_io_uring: of(numa::TARGET_IO_URING),
        profiler: of(numa::PROFILER),
        other_user: of(numa::OTHER_USER),
        other_kernel: of(numa::OTHER_KERNEL),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The counter is not taken for the one whose name begins with its own.
    #[test]
    fn the_counter_is_found() {
        let text = "numa_hint_faults_local 7\nnuma_hint_faults 12\nnuma_pages_migrated 3\n";
        assert_eq!(count_in(text), Some(12));
        assert_eq!(count_in("nr_free_pages 1\n"), None);
    }
}
