//! Counting one entry: the hot path.
//!
//! A line of a small per-CPU cache holds the row that was counted last. While
//! the same thread makes the same entry from the same instruction in the same
//! phase, one comparison and one increment do. Everything that is dear (whether
//! the thread is ours, how it came in, the ledger itself) is asked only when
//! another row takes the line over.

use profiler_common::{
    cause::CauseKind,
    key::{CACHE_LINES, CacheLine, LedgerKey, key_flags},
};

use crate::{
    config::{config, in_text},
    ledger,
    maps::CACHE,
    phase,
    probes::syscall::nr,
    regs, stacks, target,
};
use aya_ebpf::programs::tracing::StackIdContext;

/// What a probe saw.
#[derive(Clone, Copy)]
pub struct Entry {
    /// A [`CauseKind`] code.
    pub kind: u8,
    /// System-call number, page-fault error code, or vector, by `kind`.
    pub detail: u32,
    /// Low half of how the thread came in ([`regs::slot`]), from an exit probe, or 0.
    pub slot: u32,
    /// The user instruction responsible, or 0.
    pub user_ip: u64,
}

/// Counts an entry of the current thread, if the thread is being measured.
///
/// A line is identified by all that decides the row and is cheap to know, in
/// four words. What is dear to know (the incarnation, the system-call gate)
/// follows from it: one instruction is always the same gate.
#[inline(always)]
pub fn count<C: StackIdContext>(ctx: &C, region: u32, entry: Entry) {
    let thread = u64::from(target::current_tid()) | u64::from(target::epoch()) << 32;
    let place = entry.user_ip;
    let what = u64::from(entry.detail) | u64::from(entry.slot) << 32;
    let when = u64::from(phase::current()) | u64::from(entry.kind) << 16;
    // The multiplication mixes all bits into the top.
    let mixed = place ^ (thread << 40) ^ (what << 20) ^ (what >> 32) ^ (when << 52);
    let index = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - CACHE_LINES.ilog2());
    let Some(line) = CACHE.get_ptr_mut(region * CACHE_LINES + index as u32) else {
        return;
    };
    // SAFETY: the map's memory, checked above. No other program writes this
    // line: regions are per CPU and per program that cannot be interrupted by
    // another one of its region.
    let held = unsafe { &mut *line };
    let [thread_held, place_held, what_held, when_held] = held.ident;
    if thread_held == thread && place_held == place && what_held == what && when_held == when {
        held.count += 1;
    } else if take_over(line, thread, place, what, when) == 0 {
        return;
    }
    stacks::sample(ctx, line);
}

/// Gives a line to another row and counts that row's first entry. Returns 0 if
/// the current thread is not being measured, and leaves the line alone then.
///
/// The words come one by one, so that on the hot path they stay in registers.
#[inline(never)]
fn take_over(line: *mut CacheLine, thread: u64, place: u64, what: u64, when: u64) -> u32 {
    if line.is_null() {
        return 0;
    }
    // SAFETY: the map's memory; see `count` for why there is no other writer.
    let held = unsafe { &mut *line };
    // Before it is asked whether anything is counted: whoever reads the line after
    // the window has been closed waits for this.
    set(&mut held.moving, 1);
    let Some(born) = target::counted() else {
        set(&mut held.moving, 0);
        return 0;
    };
    let mut key = LedgerKey {
        tid: thread as u32,
        born,
        user_ip: place,
        detail: what as u32,
        slot: (what >> 32) as u32,
        phase: when as u16,
        kind: (when >> 16) as u8,
        flags: 0,
        padding: 0,
    };
    settle_gate(&mut key);
    if key.kind == CauseKind::Return.code() && target::takes_first_return() {
        key.slot = config!(entry_text.ret_from_fork.start) as u32 + 1;
        key.user_ip = 0;
        ledger::add(&key, 1);
        set(&mut held.moving, 0);
        return 0;
    }
    // A count must never be in both places.
    let count = held.count;
    set(&mut held.count, 0);
    if count != 0 {
        ledger::add(&held.key, count);
    }
    held.ident = [thread, place, what, when];
    held.key = key;
    set(&mut held.count, 1);
    set(&mut held.moving, 0);
    1
}

/// Sets a word that is read while the programs run.
#[inline(always)]
fn set(word: &mut u64, value: u64) {
    // SAFETY: a live word.
    unsafe { core::ptr::write_volatile(word, value) }
}

/// Decides from the entry stub what a probe could only guess: by which gate a
/// system call came, and whether it was one at all.
#[inline(always)]
fn settle_gate(key: &mut LedgerKey) {
    let is_return = key.kind == CauseKind::Return.code();
    let is_call = key.kind == CauseKind::Syscall.code() || key.kind == CauseKind::NewTask.code();
    if !is_call && !is_return {
        return;
    }
    let Some(slot) = regs::of_current().and_then(regs::slot) else {
        return;
    };
    let is_compat = in_text!(int80)(slot) || in_text!(compat)(slot);
    if is_compat || in_text!(syscall)(slot) {
        if is_compat {
            key.flags = key_flags::COMPAT;
        }
        // A program of the other width has been executed, and the kernel has put
        // down that width's number for it.
        if is_compat != regs::has_compat_number() {
            key.detail = if is_compat {
                nr::IA32_EXECVE
            } else {
                nr::EXECVE
            };
            key.user_ip = 0;
        }
        if is_call {
            key.kind = CauseKind::Syscall.code();
        }
    } else if is_call && in_text!(ret_from_fork)(slot) {
        key.kind = CauseKind::NewTask.code();
        key.detail = 0;
    }
}
