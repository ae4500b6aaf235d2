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

use crate::config::{HAS_TASK_PT_REGS, config};

/// The saved registers, with the fields that the programs read.
#[repr(C)]
pub struct Regs {
    general: [u64; 15],
    /// The system-call number, or all ones.
    pub orig_ax: u64,
    /// The user instruction at which the thread goes on.
    pub ip: u64,
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

/// The return address that the entry stub pushed below the registers: it says
/// how the thread came in. About 30 ns.
#[inline(always)]
pub fn slot(regs: u64) -> Option<u64> {
    // SAFETY: the helper checks the address.
    unsafe { bpf_probe_read_kernel((regs - 8) as *const u64) }.ok()
}

/// The system-call number and the user instruction.
#[inline(always)]
pub fn call(regs: u64) -> Option<Call> {
    let field = regs + core::mem::offset_of!(Regs, orig_ax) as u64;
    // SAFETY: the helper checks the address.
    unsafe { bpf_probe_read_kernel(field as *const Call) }.ok()
}
