//! Saved profiles side by side. Pure.

pub mod basis;
pub mod build;
pub mod causes;
pub mod change;
pub mod code;
pub mod conclude;
mod costs;
#[cfg(test)]
mod laws;
pub mod mappings;
pub mod metric;
pub mod metrics;
pub mod model;
pub mod per;
pub mod side;
pub mod threads;
pub mod visible;
pub mod warnings;
