//! Several runs of one command as one profile of sums. Pure.

mod accounting;
pub mod bounds;
pub(super) mod execs;
#[cfg(test)]
mod laws;
mod ledger;
mod left_out;
mod memory;
mod numbers;
pub mod programs;
mod rows;
mod runs;

pub use runs::{Unlike, merge};
