//! Indices of the counters of NUMA-hint faults, by who had them and how.

/// A measured thread, in user mode: an entry.
pub const TARGET_USER: u32 = 0;
/// A measured thread, in the kernel: while it was copying to or from the page.
pub const TARGET_KERNEL: u32 = 1;
/// A thread of the kernel's own in a measured process: an io_uring's.
pub const TARGET_IO_URING: u32 = 2;
/// The profiler itself.
pub const PROFILER: u32 = 3;
/// Any other thread, in user mode.
pub const OTHER_USER: u32 = 4;
/// Any other thread, in the kernel.
pub const OTHER_KERNEL: u32 = 5;
/// How many counters there are.
pub const COUNT: u32 = 6;
