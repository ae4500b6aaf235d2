//! Which types may be copied out of maps byte for byte.

use crate::{
    allocation::{AllocationRecord, STACK_WORDS},
    config::ProbeConfig,
    key::{CacheLine, LedgerKey, StackKey},
    thread::{ThreadId, ThreadInfo, ThreadState},
    window::WindowState,
};

/// Marks `repr(C)` types that consist of integers only and have no hidden
/// padding: the sum of the named field sizes is checked to be the type's size.
macro_rules! pod {
    ($($type:ty, $bytes:expr;)+) => {$(
        const _: () = assert!(size_of::<$type>() == $bytes);
        // SAFETY: `repr(C)`, `Copy`, integers only, and the assertion above
        // shows that there is no padding between or behind the fields.
        unsafe impl aya::Pod for $type {}
    )+};
}

pod! {
    LedgerKey, 4 + 4 + 8 + 4 + 4 + 2 + 1 + 1 + 4;
    CacheLine, 8 + 4 * 8 + 32;
    StackKey, 6 * 4 + 2 + 1 + 1;
    ThreadState, 2 * 4;
    ThreadId, 2 * 4;
    ThreadInfo, 2 * 8 + 2 * 4 + 16;
    WindowState, 2 * 8;
    AllocationRecord, 8 + 4 * 4 + 21 * 8 + STACK_WORDS * 8;
    ProbeConfig, (8 + crate::vector::Vector::ALL.len()) * 16 + 8 * 4;
}
