//! What the eBPF programs and the profiler agree on: causes, wire types, names.
//!
//! Everything here is `no_std`, allocates nothing and depends on nothing, so
//! that one definition serves both sides. Types that cross the boundary are
//! made of integers only, with every padding byte named.
#![no_std]
#![expect(
    clippy::inline_always,
    reason = "in the programs, a call would cost more than these do"
)]

pub mod allocation;
pub mod cause;
mod coded;
pub mod config;
pub mod disturbance;
pub mod fault;
pub mod fault_config;
pub mod interruption;
pub mod key;
pub mod loss;
pub mod names;
pub mod nmi;
pub mod numa;
pub mod paging;
pub mod phase;
#[cfg(feature = "user")]
mod pod;
pub mod stub;
pub mod submission;
pub mod thread;
pub mod vector;
pub mod window;
