//! Finds out where the kernel has all memory mapped, for walking page tables.

use aya_ebpf::{
    helpers::{bpf_get_current_pid_tgid, bpf_get_current_task, bpf_probe_read_kernel},
    macros::btf_tracepoint,
    programs::BtfTracePointContext,
};
use profiler_common::paging::{CANDIDATE_BYTES, CANDIDATES, Calibration, entry, step};

use crate::{config::config, fault::walk, maps::CALIBRATION};

/// `raw_syscalls:sys_enter`, for the profiler's own calls only, before anything is
/// measured: answers the question in the calibration map.
///
/// proto: `sys_enter(struct pt_regs *regs, long id)`, all kernels.
///
/// Minimum kernel: 5.5 (BTF tracepoints).
#[btf_tracepoint(function = "sys_enter")]
pub fn calibrate(_ctx: BtfTracePointContext) -> i32 {
    if (bpf_get_current_pid_tgid() >> 32) as u32 != config!(own_tgid) {
        return 0;
    }
    let Some(question) = CALIBRATION.get_ptr_mut(0) else {
        return 0;
    };
    // SAFETY: the map's memory; the profiler has one thread and is in this call.
    let question = unsafe { &mut *question };
    // SAFETY: takes nothing and always returns the current task.
    let task = unsafe { bpf_get_current_task() };
    match question.step {
        step::TASK => question.answer = task,
        step::SEARCH => question.answer = search(question),
        step::WALK => question.answer = walk(task, question.address),
        _ => return 0,
    }
    question.step = step::DONE;
    0
}

/// The candidate under which the magic is, or 0.
#[inline(always)]
fn search(question: &Calibration) -> u64 {
    let mut found = 0;
    for index in 0..CANDIDATES {
        let candidate = question.first + index * CANDIDATE_BYTES;
        let place = (candidate + question.physical) as *const [u64; 2];
        // SAFETY: the helper checks the address.
        if let Ok(words) = unsafe { bpf_probe_read_kernel(place) }
            && words[0] == question.magic[0]
            && words[1] == question.magic[1]
        {
            found = candidate;
            break;
        }
    }
    found
}

/// What the page table of the current process says of an address.
#[inline(always)]
fn walk(task: u64, address: u64) -> u64 {
    let read = |address: u64| {
        // SAFETY: the helper checks the address.
        unsafe { bpf_probe_read_kernel(address as *const u64) }.ok()
    };
    let pgd = read(task + u64::from(config!(fault.task_mm)))
        .and_then(|mm| read(mm + u64::from(config!(fault.mm_pgd))));
    match (pgd, walk::paging()) {
        (Some(pgd), Some(paging)) => walk::entry_of(pgd, address, paging),
        _ => entry::UNREADABLE,
    }
}
