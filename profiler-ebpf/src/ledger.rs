//! The only writer of the ledger.

use aya_ebpf::bindings::BPF_NOEXIST;
use profiler_common::{key::LedgerKey, loss::Loss};

use crate::{
    atomic, losses,
    maps::{LEDGER, OVERFLOW},
};

/// Adds `n` entries to a row, making it if need be.
///
/// An entry is never lost: where the row does not fit, the entries go to the
/// overflow total of their cause, and the report says so.
#[inline(never)]
pub fn add(key: &LedgerKey, n: u64) -> u32 {
    if let Some(row) = LEDGER.get_ptr_mut(key) {
        atomic::add(row, n);
        return 0;
    }
    if LEDGER.insert(key, n, u64::from(BPF_NOEXIST)).is_ok() {
        return 0;
    }
    // Another CPU may have made the row in between.
    if let Some(row) = LEDGER.get_ptr_mut(key) {
        atomic::add(row, n);
        return 0;
    }
    losses::note(Loss::LedgerFull, n);
    if let Some(total) = OVERFLOW.get_ptr_mut(u32::from(key.kind)) {
        atomic::add(total, n);
    }
    1
}
