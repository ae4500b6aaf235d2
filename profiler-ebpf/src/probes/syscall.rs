//! System calls and first returns of new tasks.

use aya_ebpf::{macros::btf_tracepoint, programs::BtfTracePointContext};
use profiler_common::{
    allocation::number,
    cause::{CauseKind, SYSCALL_NUMBER_CLEARED},
    config::filter,
    key::region,
    window::open,
};

use crate::{
    allocations,
    config::config,
    count::{Entry, count},
    regs::Regs,
    signals, target,
};

/// System-call numbers that need care: of x86-64, unless they say otherwise.
pub mod nr {
    pub const RT_SIGRETURN: u32 = 15;
    pub const IOCTL: u32 = 16;
    pub const CLONE: u32 = 56;
    pub const FORK: u32 = 57;
    pub const VFORK: u32 = 58;
    /// `execve` and `execveat`: afterwards the registers are the new program's.
    pub const EXECVE: u32 = 59;
    pub const EXECVEAT: u32 = 322;
    pub const URETPROBE: u32 = 335;
    pub const UPROBE: u32 = 336;
    pub const CLONE3: u32 = 435;
    pub const IA32_EXECVE: u32 = 11;
    pub const IA32_IOCTL: u32 = 54;
    pub const IA32_SIGRETURN: u32 = 119;
}

/// `raw_syscalls:sys_exit`: every return of a system call.
///
/// proto: `sys_exit(struct pt_regs *regs, long ret)`, all kernels.
///
/// Counted on the way out, because that also sees calls that seccomp answered
/// (no `sys_enter`) and the first return of a child. Calls that never return
/// are counted where the thread ends.
///
/// Minimum kernel: 5.5 (BTF tracepoints).
#[btf_tracepoint(function = "sys_exit")]
pub fn sys_exit(ctx: BtfTracePointContext) -> i32 {
    count_return(&ctx, region::SYSCALL);
    if config!(has_substitutes) != 0
        && let Some(row) = target::row()
    {
        // SAFETY: a row just looked up, of the current thread.
        unsafe { (*row).seen = 1 };
    }
    0
}

/// The substitute: from Linux 7.1 on, the program above can be preempted, and is then
/// passed over for the next thread on its CPU. What it did not see is counted here.
/// A return is missed where both are passed over, or where this one was and then the
/// other; so there are no more of these than misses of either.
///
/// Attached after the other one, so that the kernel calls it behind that.
#[btf_tracepoint(function = "sys_exit")]
pub fn sys_exit_again(ctx: BtfTracePointContext) -> i32 {
    if let Some(row) = target::row() {
        // SAFETY: a row just looked up, of the current thread.
        let seen = unsafe { &mut (*row).seen };
        if core::mem::replace(seen, 0) != 0 {
            return 0;
        }
    } else if config!(filter) == filter::THREADS {
        return 0;
    }
    count_return(&ctx, region::SYSCALL_AGAIN);
    0
}

#[inline(always)]
fn count_return(ctx: &BtfTracePointContext, region: u32) {
    let regs: *const Regs = ctx.arg(0);
    let ret: i64 = ctx.arg(1);
    // SAFETY: a trusted pointer to `struct pt_regs`; the verifier checks the access.
    let number = unsafe { (*regs).orig_ax } as u32;
    // SAFETY: as above.
    let ip = unsafe { (*regs).ip };
    let mut entry = Entry {
        kind: CauseKind::Syscall.code(),
        detail: number,
        slot: 0,
        user_ip: ip,
    };
    match number {
        // Only the child gets 0. The stub has the last word: see `count`.
        nr::CLONE | nr::FORK | nr::VFORK | nr::CLONE3 if ret == 0 => {
            entry.kind = CauseKind::NewTask.code();
        }
        // The registers are already those of another place or program.
        nr::EXECVE | nr::EXECVEAT => entry.user_ip = 0,
        SYSCALL_NUMBER_CLEARED => {
            entry.detail = signals::cleared_number(regs as u64, false);
            entry.user_ip = 0;
        }
        number::MMAP | number::BRK | number::MREMAP | number::SHMAT
            if target::window() & open::ALLOCATIONS_AT_SYSCALL_EXIT != 0 =>
        {
            allocations::record(number, regs as u64);
        }
        _ => {}
    }
    count(ctx, region, entry);
}
