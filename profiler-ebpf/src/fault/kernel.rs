//! Reading the kernel's memory, one word at a time.

use aya_ebpf::helpers::{bpf_get_current_task, bpf_probe_read_kernel};

/// Reads a word.
#[inline(always)]
pub(super) fn word(address: u64) -> Option<u64> {
    // SAFETY: the helper checks the address.
    unsafe { bpf_probe_read_kernel(address as *const u64) }.ok()
}

/// Reads a word at an offset that the profiler has found in the kernel's BTF.
#[inline(always)]
pub(super) fn field(structure: u64, offset: u32) -> Option<u64> {
    word(structure + u64::from(offset))
}

/// The current task's description.
#[inline(always)]
pub(super) fn current_task() -> u64 {
    // SAFETY: takes nothing and always returns the current task.
    unsafe { bpf_get_current_task() }
}
