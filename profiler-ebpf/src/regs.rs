//! The registers that a thread saved on its way into the kernel.
//!
//! `struct pt_regs` is the same on every supported kernel (FRED machines add
//! words behind it, none in front): `arch/x86/include/asm/ptrace.h`.

use aya_ebpf::{
    bindings::task_struct,
    helpers::{
        bpf_get_current_task, bpf_probe_read_kernel,
        generated::{bpf_get_current_task_btf, bpf_task_pt_regs},
    },
};

use core::mem::offset_of;
use profiler_common::stub::event;

use crate::{
    config::{HAS_TASK_PT_REGS, config, in_text, text_range},
    task,
};

/// The saved registers, with the fields that the programs read.
#[repr(C)]
pub struct Regs {
    general: [u64; 15],
    /// The system-call number, or all ones.
    pub orig_ax: u64,
    /// The user instruction at which the thread goes on.
    pub ip: u64,
    /// Code segment and flags.
    segment_and_flags: [u64; 2],
    /// The user stack.
    pub sp: u64,
    /// The stack segment; with FRED, above it the event that the thread came in by.
    ss: u64,
}

/// One field of saved registers.
#[inline(always)]
pub fn word(regs: u64, offset: usize) -> Option<u64> {
    let field = regs + offset as u64;
    // SAFETY: the helper checks the address.
    unsafe { bpf_probe_read_kernel(field as *const u64) }.ok()
}

/// The two words that tell which system call came from where.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Call {
    /// The system-call number, or all ones.
    pub orig_ax: u64,
    /// The user instruction at which the thread goes on.
    pub ip: u64,
}

/// Address of the current thread's saved user registers.
#[inline(always)]
pub fn of_current() -> Option<u64> {
    if HAS_TASK_PT_REGS.load() != 0 {
        // SAFETY: takes nothing and always returns the current task.
        let task = unsafe { bpf_get_current_task_btf() };
        // SAFETY: `task` is the trusted pointer that the helper asks for.
        return Some(unsafe { bpf_task_pt_regs(task) }.cast_unsigned());
    }
    // SAFETY: takes nothing and always returns the current task.
    let task: *const task_struct = unsafe { bpf_get_current_task() } as *const task_struct;
    let field = task as u64 + u64::from(config!(task_stack_offset));
    // SAFETY: the helper checks the address; the offset is from the kernel's BTF.
    let stack = unsafe { bpf_probe_read_kernel(field as *const u64) }.ok()?;
    Some(stack + u64::from(config!(stack_to_regs_offset)))
}

/// How the thread came in: see [`profiler_common::stub`]. About 30 ns.
#[inline(always)]
pub fn slot(regs: u64) -> Option<u64> {
    let stub = word(regs - 8, 0)?;
    // A new task has yet to come in for the first time: its stub is its own, and
    // the event its parent's.
    if config!(entry_text.fred_user.end) == 0 || !in_text!(fred_user)(stub) {
        return Some(stub);
    }
    let ss = word(regs, offset_of!(Regs, ss))?;
    let orig_ax = word(regs, offset_of!(Regs, orig_ax))?;
    Some(event::of_frame(ss, orig_ax, text_range!(common_interrupt)))
}

/// The system-call number and the user instruction.
#[inline(always)]
pub fn call(regs: u64) -> Option<Call> {
    let field = regs + offset_of!(Regs, orig_ax) as u64;
    // SAFETY: the helper checks the address.
    unsafe { bpf_probe_read_kernel(field as *const Call) }.ok()
}

/// `TS_COMPAT`: the number in the saved registers is of the 32-bit numbering.
const TS_COMPAT: u32 = 1 << 1;

/// Whether the current system call's number is of the 32-bit numbering. Not the
/// same as the gate: executing a program of the other width changes it.
#[inline(always)]
pub fn has_compat_number() -> bool {
    // SAFETY: takes nothing and always returns the current task.
    let task = unsafe { bpf_get_current_task() };
    task::field(task, config!(task_status_offset)).is_some_and(|status| status & TS_COMPAT != 0)
}
