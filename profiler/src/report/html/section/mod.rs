//! The parts of a profile's page.

pub mod accounting;
pub mod advice;
pub mod causes;
pub mod code;
pub mod flame;
pub mod host;
pub mod interrupts;
pub mod io;
pub mod memory;
pub mod over_time;
#[cfg(test)]
pub mod testing;
pub mod threads;
