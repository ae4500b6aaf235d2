//! Reading out what the programs have counted.

pub mod faults;
pub mod maps;
pub mod phases;
pub mod snapshot;
pub mod threads;
