//! The exit backend: one hook that every return to user mode passes.

use aya_ebpf::{
    macros::{fentry, kprobe},
    programs::{FEntryContext, ProbeContext, tracing::StackIdContext},
};
use profiler_common::{
    allocation::number,
    cause::{CauseKind, SYSCALL_NUMBER_CLEARED},
    key::region,
    loss::Loss,
    window::open,
};

use super::syscall::nr;
use crate::{
    allocations,
    config::{config, in_text},
    count::{Entry, count},
    losses, origin, regs, signals, target,
};

/// Counts a return by the stub through which the thread had come in. Which
/// cause that stands for is decided when the counts are read.
#[inline(always)]
fn on_return<C: StackIdContext>(ctx: &C) {
    match entry_of_current() {
        // KVM calls the function too, before it enters a guest: no return.
        Some(entry) if is_ioctl(entry) && origin::is_guest_entry(ctx.as_ptr()) => {}
        Some(entry) => {
            count(ctx, region::IRQS_OFF, entry);
            note_allocation(entry);
        }
        None => losses::note(Loss::RegistersUnreadable, 1),
    }
}

/// Whether this may be the call by which a guest runs, where there is KVM.
#[inline(always)]
fn is_ioctl(entry: Entry) -> bool {
    config!(entry_text.guest_entry.start) != 0
        && (entry.detail == nr::IOCTL || entry.detail == nr::IA32_IOCTL)
}

/// Takes the call down if it made memory.
#[inline(always)]
fn note_allocation(entry: Entry) {
    if let number::MMAP | number::BRK | number::MREMAP | number::SHMAT = entry.detail
        && target::window() & open::ALLOCATIONS_AT_RETURN != 0
        && let Some(regs) = regs::of_current()
    {
        allocations::record(entry.detail, regs);
    }
}

/// The entry by which the current thread has come into the kernel.
#[inline(always)]
pub fn entry_of_current() -> Option<Entry> {
    let regs = regs::of_current()?;
    let slot = regs::slot(regs)?;
    let call = regs::call(regs)?;
    let mut number = call.orig_ax as u32;
    let is_call = in_text!(syscall)(slot) || in_text!(int80)(slot) || in_text!(compat)(slot);
    let moved = number == SYSCALL_NUMBER_CLEARED || number == nr::EXECVE || number == nr::EXECVEAT;
    if is_call && number == SYSCALL_NUMBER_CLEARED {
        number = signals::cleared_number(regs, true);
    }
    // An instruction that an interrupt hit is an accident; so is the place
    // that a signal return or a new program goes to.
    // The instructions that fault are known from the page-fault program.
    let has_place = is_call && !moved;
    Some(Entry {
        kind: CauseKind::Return.code(),
        detail: number,
        slot: slot as u32,
        user_ip: if has_place { call.ip } else { 0 },
    })
}

/// proto: `void fpregs_assert_state_consistent(void)`: called once for each
/// return, after the exit loop, wherever `CONFIG_X86_DEBUG_FPU` is on.
///
/// Minimum kernel: 5.5 with BPF trampolines.
#[fentry(function = "fpregs_assert_state_consistent")]
pub fn exit_fentry_fpregs(ctx: FEntryContext) -> i32 {
    on_return(&ctx);
    0
}

/// proto: `void exit_to_user_mode_prepare(struct pt_regs *regs)`: up to 6.7.
///
/// Minimum kernel: 5.5 with BPF trampolines.
#[fentry(function = "exit_to_user_mode_prepare")]
pub fn exit_fentry_prepare(ctx: FEntryContext) -> i32 {
    on_return(&ctx);
    0
}

/// The classic method: a kprobe where the trampoline is not to be had. The
/// kernel skips it silently while a task preempted on this CPU is inside `bpf()`.
#[kprobe]
pub fn exit_kprobe_prepare(ctx: ProbeContext) -> u32 {
    on_return(&ctx);
    0
}

/// As above, on the function that newer kernels still call.
#[kprobe]
pub fn exit_kprobe_fpregs(ctx: ProbeContext) -> u32 {
    on_return(&ctx);
    0
}
