//! Names for addresses, taken while they can still be had.

mod calls;
mod elf;
mod image;
mod isolated;
pub mod kernel;
pub mod perf_map;
mod places;
mod unwind;
pub mod user;
mod vdso;
