//! Reading out what the programs have counted.

pub mod maps;
pub mod memory;
pub mod phases;
pub mod snapshot;
pub mod threads;
