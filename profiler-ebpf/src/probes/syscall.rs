//! System calls and first returns of new tasks.

use aya_ebpf::{
    macros::{btf_tracepoint, tracepoint},
    programs::{BtfTracePointContext, TracePointContext, tracing::StackIdContext},
};
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
    regs::{self, Regs},
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
/// From Linux 7.1 on, this program can be preempted, and is then passed over for
/// other threads on its CPU. So it only counts what one of the two below was kept
/// from: a return is missed where both were, and there are no more of these than
/// misses of either.
///
/// Minimum kernel: 5.5 (BTF tracepoints).
#[btf_tracepoint(function = "sys_exit")]
pub fn sys_exit(ctx: BtfTracePointContext) -> i32 {
    if config!(has_substitutes) != 0 {
        if let Some(row) = target::row() {
            // SAFETY: a row just looked up, of the current thread.
            let seen = unsafe { &mut (*row).seen };
            if core::mem::replace(seen, 0) != 0 {
                return 0;
            }
        } else if config!(filter) == filter::THREADS {
            return 0;
        }
    }
    count_return(&ctx, region::SYSCALL, Return::of_arguments(&ctx));
    0
}

/// The same, as a program on the tracepoint's event for `perf`: the kernel runs it with
/// preemption off, so that no other thread of ours keeps it from running. What does is a
/// thread that was preempted on this CPU inside `bpf()`.
///
/// Attached before the one above, so that the kernel calls it first, whoever else has
/// that event open.
///
/// Event: `__syscall_nr` at 8, `ret` at 16, all kernels.
#[tracepoint]
pub fn sys_exit_by_perf(ctx: TracePointContext) -> i32 {
    const RET: usize = 16;
    let Some(regs) = regs::of_current() else {
        return 0;
    };
    let Some(call) = regs::call(regs) else {
        return 0;
    };
    // SAFETY: within the event.
    let Ok(ret) = (unsafe { ctx.read_at(RET) }) else {
        return 0;
    };
    let of = Return {
        regs,
        number: call.orig_ax as u32,
        ip: call.ip,
        ret,
    };
    count_first(&ctx, of)
}

/// Takes the place of the one above where the event cannot be opened, as in a container
/// without tracefs. It can be preempted, too, which takes two threads.
#[btf_tracepoint(function = "sys_exit")]
pub fn sys_exit_ahead(ctx: BtfTracePointContext) -> i32 {
    count_first(&ctx, Return::of_arguments(&ctx))
}

/// Counts a return and leaves word of it for [`sys_exit`].
#[inline(always)]
fn count_first<C: StackIdContext>(ctx: &C, of: Return) -> i32 {
    count_return(ctx, region::SYSCALL_AHEAD, of);
    if let Some(row) = target::row() {
        // SAFETY: a row just looked up, of the current thread.
        unsafe { (*row).seen = 1 };
    }
    0
}

/// A system call that returns.
struct Return {
    /// Where its registers are saved.
    regs: u64,
    /// Its number, as they have it.
    number: u32,
    /// The user instruction at which the thread goes on.
    ip: u64,
    /// What it returns.
    ret: i64,
}

impl Return {
    #[inline(always)]
    fn of_arguments(ctx: &BtfTracePointContext) -> Self {
        let regs: *const Regs = ctx.arg(0);
        Self {
            regs: regs as u64,
            // SAFETY: a trusted pointer to `struct pt_regs`; the verifier checks the
            // access.
            number: unsafe { (*regs).orig_ax } as u32,
            // SAFETY: as above.
            ip: unsafe { (*regs).ip },
            ret: ctx.arg(1),
        }
    }
}

#[inline(always)]
fn count_return<C: StackIdContext>(ctx: &C, region: u32, of: Return) {
    let Return {
        regs,
        number,
        ip,
        ret,
    } = of;
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
            entry.detail = signals::cleared_number(regs, false);
            entry.user_ip = 0;
        }
        number::MMAP | number::BRK | number::MREMAP | number::SHMAT
            if target::window() & open::ALLOCATIONS_AT_SYSCALL_EXIT != 0 =>
        {
            allocations::record(number, regs);
        }
        _ => {}
    }
    count(ctx, region, entry);
}
