//! Names for addresses, taken while they can still be had.

pub mod kernel;
