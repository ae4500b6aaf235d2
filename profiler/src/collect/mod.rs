//! Reading out what the programs have counted.

pub mod disturbance;
pub mod faults;
pub mod interruption;
pub mod maps;
pub mod phases;
pub mod snapshot;
pub mod threads;
