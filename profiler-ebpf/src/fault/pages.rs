//! Counting faults by page, and what is remembered until a fault is over.

use aya_ebpf::bindings::BPF_NOEXIST;
use profiler_common::{
    fault::{PageKey, PendingFault, page},
    loss::Loss,
};

use super::scratch;
use crate::{
    atomic, losses,
    maps::{PAGES, PENDING_FAULTS, UNPAGED},
    phase, target,
};

/// Counts a fault on a page of the mapping in the scratch memory.
#[inline(never)]
pub fn note(address: u64, kind: u32) -> u32 {
    let Some(scratch) = scratch::get() else {
        return 0;
    };
    let phase = u64::from(phase::current()) << page::PHASE_SHIFT;
    scratch.page.page = (address & page::ADDRESS) | (u64::from(kind) & page::KIND) | phase;
    let key = scratch.page;
    add(&key)
}

/// Adds one to a page's row; if there is no room for it, to its mapping's.
#[inline(never)]
pub fn add(key: &PageKey) -> u32 {
    if let Some(row) = PAGES.get_ptr_mut(key) {
        atomic::add(row, 1);
        return 0;
    }
    if PAGES.insert(key, 1, u64::from(BPF_NOEXIST)).is_ok() {
        return 0;
    }
    // Another thread may have made the row in between.
    if let Some(row) = PAGES.get_ptr_mut(key) {
        atomic::add(row, 1);
        return 0;
    }
    losses::note(Loss::PageTableFull, 1);
    let mut coarse = *key;
    coarse.page &= !page::ADDRESS;
    if let Some(row) = UNPAGED.get_ptr_mut(coarse) {
        atomic::add(row, 1);
        return 0;
    }
    if UNPAGED.insert(coarse, 1, u64::from(BPF_NOEXIST)).is_ok() {
        return 0;
    }
    if let Some(row) = UNPAGED.get_ptr_mut(coarse) {
        atomic::add(row, 1);
        return 0;
    }
    losses::note(Loss::MappingLost, 1);
    1
}

/// Remembers a fault of the current thread until it turns out to be major, if it
/// does. A thread has one fault at a time.
#[inline(never)]
pub fn remember(address: u64, user_ip: u64, detail: u32) -> u32 {
    let Some(scratch) = scratch::get() else {
        return 0;
    };
    let pending = PendingFault {
        page: scratch.page,
        user_ip,
        address,
        detail,
        phase: u32::from(phase::current()),
    };
    // Without room, the fault may be missed among the major ones, which notes that.
    let _ = PENDING_FAULTS.insert(target::current_tid(), pending, 0);
    0
}
