//! Signals: what they tell of entries that no other tracepoint shows, and of the
//! handlers' returns.

use aya_ebpf::{
    helpers::{bpf_get_current_task, bpf_probe_read_kernel},
    macros::btf_tracepoint,
    programs::BtfTracePointContext,
};
use profiler_common::{cause::CauseKind, key::region, stub::event, vector::Trap};

use crate::{
    config::{config, in_text},
    count::{Entry, count},
    regs, signals, target,
};

const SIGSYS: u32 = 31;
/// `si_code` of a system call that was handed back to the program.
const SYS_USER_DISPATCH: u32 = 2;
/// A handler's address below this is none: `SIG_DFL`, `SIG_IGN`.
const FIRST_HANDLER: u64 = 2;

/// The beginning of the kernel's `siginfo`, with what a `SIGSYS` tells.
#[repr(C)]
#[derive(Clone, Copy)]
struct SignalInfo {
    number: u32,
    error: u32,
    code: u32,
    padding: u32,
    call_address: u64,
    syscall: u32,
    architecture: u32,
}

/// `signal:signal_generate`: counts an exception that the kernel answers with a
/// signal, and a system call that it hands back to the program (`SIGSYS`).
///
/// The thread is still in the entry that is to be counted, so its entry stub
/// tells an exception from a signal that somebody sends, and from those that the
/// kernel raises in a page fault or on the way out of a system call. The signal
/// must be the one that answers this exception: on its way out, a thread may be
/// killed for another reason.
///
/// proto: `signal_generate(int sig, struct kernel_siginfo *info, struct
/// task_struct *task, int type, int result)`, all kernels; interrupts are off.
///
/// Minimum kernel: 5.5 (BTF tracepoints).
#[btf_tracepoint(function = "signal_generate")]
pub fn signal_generate(ctx: BtfTracePointContext) -> i32 {
    let signal: u32 = ctx.arg(0);
    let info: u64 = ctx.arg(1);
    let task: u64 = ctx.arg(2);
    // SAFETY: takes nothing and always returns the current task.
    if task != unsafe { bpf_get_current_task() } || target::counted().is_none() {
        return 0;
    }
    // Special numbers stand for the kernel and for nobody. No exception has them.
    // SAFETY: the helper checks the address.
    let Ok(info) = (unsafe { bpf_probe_read_kernel(info as *const SignalInfo) }) else {
        return 0;
    };
    // What programs send has a code of 0 or below.
    if info.code.cast_signed() <= 0 {
        return 0;
    }
    let Some(regs) = regs::of_current() else {
        return 0;
    };
    let (Some(slot), Some(call)) = (regs::slot(regs), regs::call(regs)) else {
        return 0;
    };
    let mut entry = Entry {
        kind: CauseKind::Syscall.code(),
        detail: info.syscall,
        slot: 0,
        user_ip: call.ip,
    };
    // A program can send itself the same, but not from this call.
    let is_dispatched =
        signal == SIGSYS && info.code == SYS_USER_DISPATCH && info.syscall == call.orig_ax as u32;
    if !is_dispatched {
        let Some(trap) = trap_of(slot).filter(|trap| trap.signal() == signal) else {
            return 0;
        };
        entry.kind = CauseKind::Exception.code();
        entry.detail = trap.code();
        entry.user_ip = 0;
    }
    count(&ctx, region::IRQS_OFF, entry);
    0
}

/// The exception that an entry stub stands for.
#[inline(always)]
fn trap_of(slot: u64) -> Option<Trap> {
    if config!(entry_text.fred_user.end) != 0 {
        if in_text!(syscall)(slot) || in_text!(compat)(slot) {
            return None;
        }
        let (kind, vector) = event::parts(slot)?;
        return event::trap(kind, vector);
    }
    for (index, trap) in Trap::ALL.iter().enumerate() {
        if in_text!(traps[index])(slot) {
            return Some(*trap);
        }
    }
    None
}

/// `signal:signal_deliver`: takes down where the thread is, so that the
/// handler's return is known again. Attached with every backend.
///
/// proto: `signal_deliver(int sig, struct kernel_siginfo *info, struct
/// k_sigaction *ka)`, all kernels; interrupts are off.
///
/// Minimum kernel: 5.5 (BTF tracepoints).
#[btf_tracepoint(function = "signal_deliver")]
pub fn signal_deliver(ctx: BtfTracePointContext) -> i32 {
    let action: u64 = ctx.arg(2);
    if target::counted().is_none() {
        return 0;
    }
    // The handler is the first member.
    // SAFETY: the helper checks the address.
    let handler = unsafe { bpf_probe_read_kernel(action as *const u64) }.unwrap_or(0);
    if handler >= FIRST_HANDLER {
        signals::note_delivery(handler);
    }
    0
}
