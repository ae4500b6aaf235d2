//! The phase that the measured program has marked.

use profiler_common::phase::COUNT;

use crate::maps::PHASE;

/// The phase now. Numbers beyond the last one count as the last.
#[inline(always)]
pub fn current() -> u16 {
    let Some(page) = PHASE.get_ptr(0) else {
        return 0;
    };
    // SAFETY: the number is at offset 0 of the page, which is aligned and as
    // long as the map's value. Volatile: the program changes it at any time.
    let phase = unsafe { core::ptr::read_volatile(page.cast::<u32>()) };
    if phase < COUNT as u32 {
        phase as u16
    } else {
        COUNT as u16 - 1
    }
}
