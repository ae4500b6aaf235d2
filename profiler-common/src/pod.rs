//! Which types may be copied out of maps byte for byte.

use crate::{
    allocation::{AllocationRecord, STACK_WORDS},
    config::ProbeConfig,
    disturbance::{CpuState, DisturbanceKey, DisturbanceTime},
    fault::{MappingInfo, MappingKey, NAME_BYTES, PageKey, PendingFault},
    fault_config::FaultConfig,
    interruption::{Handling, PurposeKey, SenderCount, SenderKey},
    key::{CacheLine, LedgerKey, StackKey},
    paging::{Calibration, Paging},
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
    CacheLine, 2 * 8 + 4 * 8 + 32;
    StackKey, 6 * 4 + 2 + 1 + 1;
    PurposeKey, 8 + 3 * 4 + 2 * 2;
    Handling, 4 * 4;
    SenderKey, 3 * 8 + 7 * 4 + 2 + 1 + 1;
    SenderCount, 8 + 16;
    DisturbanceKey, 4 * 4 + 16;
    DisturbanceTime, 3 * 8;
    CpuState, 2 * 4 + 4 * 8;
    ThreadState, 8 + 2 * 4 + 8;
    ThreadId, 2 * 4;
    ThreadInfo, 2 * 8 + 2 * 4 + 16;
    WindowState, 2 * 8;
    ProbeConfig, (10 + crate::vector::Vector::ALL.len() + crate::vector::Trap::ALL.len()) * 16 + 30 * 4 + 16 * 4;
    FaultConfig, 30 * 4;
    Paging, 3 * 8;
    Calibration, 7 * 8;
    MappingKey, 2 * 4 + 8;
    MappingInfo, 4 * 8 + 2 * 4 + NAME_BYTES;
    PageKey, 16 + 8;
    PendingFault, 24 + 2 * 8 + 2 * 4;
    AllocationRecord, 8 + 4 * 4 + 21 * 8 + STACK_WORDS * 8;
}
