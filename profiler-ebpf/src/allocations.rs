//! Taking down the calls that made memory, with enough of the thread's registers
//! and stack to unwind it afterwards. A walk by frame pointers would find nothing
//! in a C library that is built without them.

use aya_ebpf::{
    bindings::BPF_RB_NO_WAKEUP,
    cty::c_void,
    helpers::{
        bpf_get_current_pid_tgid, bpf_ktime_get_ns,
        generated::{bpf_probe_read_kernel, bpf_probe_read_user},
    },
};
use core::mem::offset_of;
use profiler_common::{
    allocation::{AllocationRecord, STACK_BYTES, UserRegs},
    loss::Loss,
};

use crate::{config::in_text, losses, maps::ALLOCATIONS, regs, target};

/// Error numbers are the last page of all addresses.
const FIRST_ERROR: u64 = u64::MAX - 4094;

/// Takes down a call of the current thread if the thread is measured and the
/// call succeeded. `regs` are its saved registers.
///
/// Without a wake-up: that would interrupt a measured CPU. A function of its
/// own, since these calls are rare and the others shall not pay for them.
#[inline(never)]
pub fn record(number: u32, regs: u64) -> u32 {
    let Some(result) = regs::word(regs, offset_of!(UserRegs, ax)) else {
        return 0;
    };
    if result >= FIRST_ERROR || result == 0 || target::counted().is_none() {
        return 0;
    }
    // Only the 64-bit gate has these numbers for these calls; an interrupt finds
    // any number in the register.
    if !regs::slot(regs).is_some_and(in_text!(syscall)) {
        return 0;
    }
    let Some(mut entry) = ALLOCATIONS.reserve::<AllocationRecord>(0) else {
        losses::note(Loss::AllocationLost, 1);
        return 0;
    };
    let record = entry.as_mut_ptr();
    let pid_tgid = bpf_get_current_pid_tgid();
    // SAFETY: memory just reserved for a record, all of integers.
    let record = unsafe { &mut *record };
    // SAFETY: takes nothing.
    record.time_ns = unsafe { bpf_ktime_get_ns() };
    record.tgid = (pid_tgid >> 32) as u32;
    record.tid = pid_tgid as u32;
    record.number = number;
    record.stack_bytes = 0;
    let to = (&raw mut record.regs).cast::<c_void>();
    // SAFETY: the destination is as long as said; the helper checks the source.
    unsafe { bpf_probe_read_kernel(to, size_of::<UserRegs>() as u32, regs as *const c_void) };
    let from = record.regs.sp as *const c_void;
    for bytes in STACK_BYTES {
        let to = (&raw mut record.stack).cast::<c_void>();
        // SAFETY: `bytes` is at most the destination's length; the helper checks
        // the source.
        if unsafe { bpf_probe_read_user(to, bytes, from) } == 0 {
            record.stack_bytes = bytes;
            break;
        }
    }
    entry.submit(u64::from(BPF_RB_NO_WAKEUP));
    1
}
