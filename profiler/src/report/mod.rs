//! Profiles and comparisons for people and programs. Pure.

pub mod comparison;
mod costs;
pub mod format;
pub mod io;
pub mod polling;
pub mod prose;
pub mod style;
pub mod table;
pub mod text;
pub mod units;
pub mod verdict;
