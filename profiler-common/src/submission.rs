//! Indices of the submission counters: a phase times [`WAYS`], plus the way.

/// Taken off the ring by the kernel's submission thread.
pub const BY_SQ_THREAD: u32 = 0;
/// Taken off the ring in a system call.
pub const BY_ENTER: u32 = 1;
/// How many ways there are.
pub const WAYS: u32 = 2;
