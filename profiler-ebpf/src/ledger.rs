//! The only writer of the ledger.

use aya_ebpf::bindings::BPF_NOEXIST;
use profiler_common::{
    cause::{CauseKind, RETURN_FROM_FAULT},
    key::LedgerKey,
    loss::Loss,
};

use crate::{
    atomic,
    config::config,
    losses,
    maps::{LEDGER, OVERFLOW},
};

/// Adds `n` entries to a row, making it if need be.
///
/// An entry is never lost: where the row does not fit, the entries go to the
/// overflow total of their cause, and the report says so.
#[inline(never)]
pub fn add(key: &LedgerKey, n: u64) -> u32 {
    if place(key, n) {
        return 0;
    }
    let mut total = u32::from(key.kind);
    if key.kind == CauseKind::Return.code() && is_fault(key.slot) {
        total = u32::from(RETURN_FROM_FAULT);
    } else {
        losses::note(Loss::LedgerFull, n);
    }
    if let Some(total) = OVERFLOW.get_ptr_mut(total) {
        atomic::add(total, n);
    }
    1
}

/// Marks an entry that is counted already: that of a row which says how many of
/// another one were of some kind. Without room, only that is lost.
#[inline(never)]
pub fn mark(key: &LedgerKey) -> u32 {
    if !place(key, 1) {
        losses::note(Loss::MajorUnmatched, 1);
    }
    0
}

/// Adds to a row, making it if need be and if there is room.
#[inline(always)]
fn place(key: &LedgerKey, n: u64) -> bool {
    if let Some(row) = LEDGER.get_ptr_mut(key) {
        atomic::add(row, n);
        return true;
    }
    if LEDGER.insert(key, n, u64::from(BPF_NOEXIST)).is_ok() {
        return true;
    }
    // Another CPU may have made the row in between.
    let Some(row) = LEDGER.get_ptr_mut(key) else {
        return false;
    };
    atomic::add(row, n);
    true
}

/// Whether a key, which holds the lower half of that, came in by a page fault.
#[inline(always)]
fn is_fault(slot: u32) -> bool {
    let start = config!(entry_text.page_fault.start);
    let length = config!(entry_text.page_fault.end) - start;
    u64::from(slot.wrapping_sub(start as u32)) < length
}
