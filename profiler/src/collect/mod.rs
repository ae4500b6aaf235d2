//! Reading out what the programs have counted.

pub mod allocations;
mod batch;
pub mod disturbance;
pub mod faults;
pub mod interruption;
pub mod live_ledger;
pub mod mappings;
pub mod maps;
pub mod memory;
pub mod phase_spans;
pub mod numa_hints;
pub mod phases;
pub mod snapshot;
pub mod threads;
pub mod timeline;
pub mod user_code;
