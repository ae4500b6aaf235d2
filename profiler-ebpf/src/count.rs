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

use crate::{config::in_text, ledger, maps::CACHE, phase, regs, stacks, target};
use aya_ebpf::programs::tracing::StackIdContext;

/// What a probe saw.
#[derive(Clone, Copy)]
pub struct Entry {
    /// A [`CauseKind`] code.
    pub kind: u8,
    /// System-call number, page-fault error code, or vector, by `kind`.
    pub detail: u32,
    /// Low half of the entry stub's return address, from an exit probe, or 0.
    pub slot: u32,
    /// The user instruction responsible, or 0.
    pub user_ip: u64,
}

/// Everything that decides which row an entry belongs to and that is cheap to
/// know. What is dear to know (the incarnation, the system-call gate) follows
/// from it: one instruction is always the same gate.
type Ident = [u64; 4];

/// Counts an entry of the current thread, if the thread is being measured.
#[inline(always)]
pub fn count<C: StackIdContext>(ctx: &C, region: u32, entry: Entry) {
    let tid = target::current_tid();
    let phase = phase::current();
    let ident: Ident = [
        u64::from(tid) | u64::from(target::epoch()) << 32,
        entry.user_ip,
        u64::from(entry.detail) | u64::from(entry.slot) << 32,
        u64::from(phase) | u64::from(entry.kind) << 16,
    ];
    let Some(line) = CACHE.get_ptr_mut(region * CACHE_LINES + line_of(&ident)) else {
        return;
    };
    // SAFETY: the map's memory, checked above. No other program writes this
    // line: regions are per CPU and per program that cannot be interrupted by
    // another one of its region.
    let held = unsafe { &(*line).ident };
    if held[0] == ident[0] && held[1] == ident[1] && held[2] == ident[2] && held[3] == ident[3] {
        // SAFETY: as above.
        unsafe { (*line).count += 1 };
    } else if take_over(line, &ident, tid) == 0 {
        return;
    }
    stacks::sample(ctx, line);
}

/// The line that a row uses. The multiplication mixes all bits into the top.
#[inline(always)]
fn line_of(ident: &Ident) -> u32 {
    let mixed =
        ident[1] ^ (ident[0] << 40) ^ (ident[2] << 20) ^ (ident[2] >> 32) ^ (ident[3] << 52);
    (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - CACHE_LINES.ilog2())) as u32
}

/// Gives a line to another row and counts that row's first entry. Returns 0 if
/// the current thread is not being measured, and leaves the line alone then.
#[inline(never)]
fn take_over(line: *mut CacheLine, ident: &Ident, tid: u32) -> u32 {
    if line.is_null() {
        return 0;
    }
    let Some(born) = target::counted() else {
        return 0;
    };
    let mut key = LedgerKey {
        tid,
        born,
        user_ip: ident[1],
        detail: ident[2] as u32,
        slot: (ident[2] >> 32) as u32,
        phase: ident[3] as u16,
        kind: (ident[3] >> 16) as u8,
        flags: 0,
        padding: 0,
    };
    settle_gate(&mut key);
    // SAFETY: the map's memory; see `count` for why there is no other writer.
    let held = unsafe { &mut *line };
    if held.count != 0 {
        ledger::add(&held.key, held.count);
    }
    held.count = 1;
    held.ident = *ident;
    held.key = key;
    1
}

/// Decides from the entry stub what a system-call probe could only guess: by
/// which gate it came, and whether it was a system call at all.
#[inline(always)]
fn settle_gate(key: &mut LedgerKey) {
    let is_call = key.kind == CauseKind::Syscall.code() || key.kind == CauseKind::NewTask.code();
    if !is_call {
        return;
    }
    let Some(slot) = regs::of_current().and_then(regs::slot) else {
        return;
    };
    if in_text!(int80)(slot) || in_text!(compat)(slot) {
        key.flags = key_flags::COMPAT;
        key.kind = CauseKind::Syscall.code();
    } else if in_text!(syscall)(slot) {
        key.kind = CauseKind::Syscall.code();
    } else if in_text!(ret_from_fork)(slot) {
        key.kind = CauseKind::NewTask.code();
        key.detail = 0;
    }
}
