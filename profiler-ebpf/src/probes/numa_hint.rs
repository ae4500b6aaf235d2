//! NUMA-hint faults, once the kernel has dealt with them: also those that are no
//! entries, since the kernel had them itself.
//!
//! Attached only where pages are balanced between nodes, to compare with.

use aya_ebpf::{
    EbpfContext, cty::c_void, helpers::bpf_get_current_pid_tgid, macros::fentry,
    programs::FEntryContext,
};
use profiler_common::numa;

use crate::{
    atomic,
    config::{config, in_text},
    maps::NUMA_HINTS,
    origin, regs, target,
};

/// Frames looked at: a fault from user mode has at most a dozen.
const FRAMES: usize = 16;

/// proto: `void task_numa_fault(int last_cpupid, int node, int pages, int flags)`:
/// called once for each hint that `numa_hint_faults` of `/proc/vmstat` counts, save
/// for a few whose page was changed meanwhile.
///
/// Minimum kernel: 5.5 with BPF trampolines, and `CONFIG_NUMA_BALANCING`.
#[fentry(function = "task_numa_fault")]
pub fn numa_hint(ctx: FEntryContext) -> i32 {
    if !target::is_open() {
        return 0;
    }
    let is_user = is_from_user_mode(ctx.as_ptr()) != 0;
    let tgid = (bpf_get_current_pid_tgid() >> 32) as u32;
    let who = if tgid == config!(own_tgid) {
        numa::PROFILER
    } else if target::followed().is_some() {
        if is_user {
            numa::TARGET_USER
        } else {
            numa::TARGET_KERNEL
        }
    } else if target::is_open_for_process() {
        numa::TARGET_IO_URING
    } else if is_user {
        numa::OTHER_USER
    } else {
        numa::OTHER_KERNEL
    };
    if let Some(counter) = NUMA_HINTS.get_ptr_mut(who) {
        atomic::add(counter, 1);
    }
    0
}

/// Whether the fault is the entry by which the thread came in, and not one that the
/// kernel had on its way out of such an entry.
#[inline(never)]
fn is_from_user_mode(ctx: *mut c_void) -> u32 {
    let Some(slot) = regs::of_current().and_then(regs::slot) else {
        return 0;
    };
    let is_fault = in_text!(page_fault)(slot);
    u32::from(is_fault && origin::is_only_entry::<FRAMES>(ctx, slot))
}
