//! Saved profiles side by side. Pure.

pub mod basis;
pub mod build;
pub mod causes;
pub mod change;
pub mod code;
#[cfg(test)]
mod laws;
pub mod mappings;
pub mod model;
pub mod side;
pub mod threads;
pub mod verdict;
pub mod visible;
pub mod warnings;
