//! The one atomic operation that every supported kernel has.

use core::intrinsics::{AtomicOrdering, atomic_xadd};

/// Adds to a counter that other CPUs may add to at the same time.
///
/// The result is not used on purpose: an atomic add that returns the old value
/// needs Linux 5.12, the plain one loads everywhere.
#[inline(always)]
pub fn add(counter: *mut u64, n: u64) {
    // SAFETY: callers pass a pointer that a map look-up has just returned, and
    // the verifier checks that it is not null and 8 bytes wide.
    unsafe {
        atomic_xadd::<u64, u64, { AtomicOrdering::Relaxed }>(counter, n);
    }
}
