//! What can be told from a handful of runs: numbers in, numbers out. Depends on
//! nothing else of modeswitch but the workload's random numbers.

pub mod bootstrap;
pub mod holm;
pub mod judgement;
pub mod outliers;
pub mod power;
pub mod rank_test;
#[cfg(test)]
pub(crate) mod simulation;
pub mod spread;
