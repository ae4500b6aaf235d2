//! Counting what could not be kept.

use profiler_common::loss::Loss;

use crate::{atomic, maps::LOSSES};

/// Notes that `n` things of one kind could not be kept.
#[inline(always)]
pub fn note(loss: Loss, n: u64) {
    if let Some(counter) = LOSSES.get_ptr_mut(loss.code()) {
        atomic::add(counter, n);
    }
}
