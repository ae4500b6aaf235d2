//! An `io_uring` load generator whose steady state stays out of the kernel.
//!
//! It reads random blocks past the page cache, submits through a ring that a
//! kernel thread polls (SQPOLL, with IOPOLL where the device can), and keeps
//! one bit per block, in a bitmap that comes into memory lazily or at once: the
//! reproducer of the experiment behind this tool. With the bitmap prefaulted,
//! steady state makes no system call and no page fault of its own.
//!
//! ```text
//! cli ─▶ plan ─▶ target ─▶ session (ring, memory, warm-up) ─▶ engine ─▶ findings ─▶ summary
//! ```
//!
//! [`phase`] is of use to any program that wants its phases told apart.

pub mod cli;
pub mod cpu_list;
pub mod duration;
pub mod metrics;
pub mod phase;
pub mod summary;

mod bitmap;
mod clock;
mod device;
mod engine;
mod error;
mod findings;
mod latency;
mod placement;
mod plan;
mod ring;
mod ring_flags;
pub mod rng;
mod run;
mod session;
#[cfg(test)]
mod session_tests;
mod slots;
mod sq_thread;
mod sys;
mod target;
#[cfg(test)]
mod testing;
mod verify;

pub use error::WorkloadError;
pub use run::{Outcome, run};
