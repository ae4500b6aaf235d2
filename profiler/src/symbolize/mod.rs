//! Names for addresses, taken while they can still be had.

mod calls;
mod elf;
mod image;
mod isolated;
pub mod measurement;
pub mod names;
pub mod perf_map;
pub mod places;
mod unwind;
pub mod user;
mod vdso;
