//! Profiles and comparisons for people and programs. Pure.

pub mod advice;
pub mod code;
pub mod comparison;
mod costs;
pub mod disturbance;
pub mod format;
pub mod html;
pub mod interruption;
pub mod io;
pub mod memory;
pub mod polling;
pub mod prose;
pub mod style;
pub mod table;
pub mod text;
pub mod units;
pub mod verdict;
