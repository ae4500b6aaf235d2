//! Who asked for an interrupt of a measured thread's CPU.

use aya_ebpf::{
    bindings::{BPF_F_USER_STACK, BPF_NOEXIST},
    cty::c_void,
    helpers::{bpf_get_current_comm, bpf_get_current_pid_tgid},
    programs::tracing::StackIdContext,
};
use profiler_common::{
    cause::CauseKind,
    interruption::{SenderCount, SenderKey},
    key::key_flags,
    loss::Loss,
};

use crate::{
    atomic,
    config::{config, in_text},
    losses,
    maps::{RUNNING, SENDERS},
    origin, phase, regs, stacks, target,
};

/// Frames of a sender's stack: from the tracepoint through memory management up
/// to the entry. A deeper one leaves the sender without its call.
const FRAMES: usize = 32;

/// Counts an interrupt that the current thread asks for, if the CPU that it is
/// to be sent to runs a measured thread.
#[inline(always)]
pub fn sent<C: StackIdContext>(ctx: &C, cpu: u32, function: u64, call_site: u64) {
    let Some(&running) = RUNNING.get(cpu) else {
        return;
    };
    if running == 0 || !target::is_open() {
        return;
    }
    let pid_tgid = bpf_get_current_pid_tgid();
    let mut key = SenderKey {
        function,
        call_site,
        user_ip: 0,
        tid: pid_tgid as u32,
        tgid: (pid_tgid >> 32) as u32,
        syscall: 0,
        target_tid: running as u32,
        target_born: (running >> 32) as u32,
        kernel_stack: -1,
        user_stack: -1,
        phase: phase::current(),
        kind: 0,
        flags: 0,
    };
    name_call(ctx.as_ptr(), &mut key);
    if config!(stack_interval) != 0 {
        key.kernel_stack = stacks::stack_id(ctx, 0, Loss::SenderStackLost);
        if key.kind != 0 {
            let flags = u64::from(BPF_F_USER_STACK);
            key.user_stack = stacks::stack_id(ctx, flags, Loss::SenderStackLost);
        }
    }
    add(&key);
}

/// Names the system call or page fault in which the sender is, unless an
/// interrupt of its own has come in between: then it is not the thread that
/// asks.
#[inline(never)]
fn name_call(ctx: *mut c_void, key: &mut SenderKey) -> u32 {
    let Some(regs) = regs::of_current() else {
        return 0;
    };
    let (Some(slot), Some(call)) = (regs::slot(regs), regs::call(regs)) else {
        return 0;
    };
    let is_compat = in_text!(int80)(slot) || in_text!(compat)(slot);
    let is_call = is_compat || in_text!(syscall)(slot);
    if !is_call && !in_text!(page_fault)(slot) {
        return 0;
    }
    if !origin::is_only_entry::<FRAMES>(ctx, slot) {
        return 0;
    }
    key.user_ip = call.ip;
    if is_call {
        key.kind = CauseKind::Syscall.code();
        key.syscall = call.orig_ax as u32;
        key.flags = if is_compat { key_flags::COMPAT } else { 0 };
    } else {
        key.kind = CauseKind::PageFault.code();
    }
    1
}

/// Adds one to a row.
#[inline(never)]
fn add(key: &SenderKey) -> u32 {
    if bump(key) {
        return 0;
    }
    let row = SenderCount {
        count: 1,
        comm: bpf_get_current_comm().unwrap_or_default(),
    };
    // A thread that sends is in one place at a time, so nobody else has made
    // its row in between; an interrupt handler on its stack might have.
    if SENDERS.insert(key, row, u64::from(BPF_NOEXIST)).is_ok() || bump(key) {
        return 0;
    }
    losses::note(Loss::SenderFull, 1);
    1
}

/// Adds one to a row that is there.
#[inline(always)]
fn bump(key: &SenderKey) -> bool {
    let Some(row) = SENDERS.get_ptr_mut(key) else {
        return false;
    };
    // The count is the first member.
    atomic::add(row.cast::<u64>(), 1);
    true
}
