//! Reading out what the programs have counted.

pub mod allocations;
mod batch;
mod bpf_maps;
pub mod counts;
pub mod disturbance;
pub mod faults;
pub mod interruption;
pub mod kernel_symbols;
pub mod live_ledger;
pub mod mappings;
pub mod memory;
pub mod numa_hints;
pub mod phase_spans;
pub mod phases;
pub mod row;
pub mod snapshot;
pub mod threads;
pub mod timeline;
