//! Reading out what the programs have counted.

pub mod allocations;
pub mod disturbance;
pub mod faults;
pub mod interruption;
pub mod mappings;
pub mod maps;
pub mod memory;
pub mod numa_hints;
pub mod phases;
pub mod snapshot;
pub mod threads;
pub mod user_code;
