//! What can be told from a handful of runs. Pure: numbers in, numbers out.

pub mod bootstrap;
pub mod holm;
pub mod outliers;
pub mod power;
pub mod rank_test;
pub mod rng;
#[cfg(test)]
mod simulation;
