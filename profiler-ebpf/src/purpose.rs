//! What an interrupt was for: known only inside its handler, after the
//! interrupt has been counted.
//!
//! The ledger does not depend on any of this. Interrupts are off from the start
//! of a handler to its end, so one word for each CPU tells whose it is.

use aya_ebpf::bindings::BPF_NOEXIST;
use profiler_common::{
    interruption::{Handling, PurposeKey, purpose_flags},
    loss::Loss,
};

use crate::{
    atomic, losses,
    maps::{HANDLING, PURPOSES},
    phase, target,
};

/// From here on, what this CPU's handler does is done to a measured thread.
#[inline(always)]
pub fn begin(vector: u32, born: u32) {
    set(Handling {
        tid: target::current_tid(),
        born,
        vector,
        calls: 0,
    });
}

/// The handler is at its end: what follows is no part of the interrupt.
#[inline(always)]
pub fn end() {
    set(Handling::default());
}

#[inline(always)]
fn set(handling: Handling) {
    if let Some(now) = HANDLING.get_ptr_mut(0) {
        // SAFETY: this CPU's memory of the map; interrupts are off.
        unsafe { *now = handling };
    }
}

/// The handler calls a function, or flushes the TLB where functions are not
/// shown. The first one stands for the interrupt; further ones are marked.
#[inline(always)]
pub fn calls(function: u64, flags: u16) {
    let Some(now) = HANDLING.get_ptr_mut(0) else {
        return;
    };
    // SAFETY: this CPU's memory of the map; interrupts are off.
    let handling = unsafe { &mut *now };
    if handling.tid == 0 {
        return;
    }
    let further = if handling.calls == 0 {
        0
    } else {
        purpose_flags::FURTHER
    };
    handling.calls += 1;
    let key = PurposeKey {
        function,
        tid: handling.tid,
        born: handling.born,
        vector: handling.vector,
        phase: phase::current(),
        flags: flags | further,
    };
    add(&key);
}

/// Adds one to a row. Only this CPU makes rows of the thread that it runs, so
/// none can be made in between.
#[inline(never)]
fn add(key: &PurposeKey) -> u32 {
    if let Some(row) = PURPOSES.get_ptr_mut(key) {
        atomic::add(row, 1);
        return 0;
    }
    if PURPOSES.insert(key, 1, u64::from(BPF_NOEXIST)).is_ok() {
        return 0;
    }
    losses::note(Loss::PurposeFull, 1);
    1
}
