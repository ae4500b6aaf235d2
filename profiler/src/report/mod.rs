//! Profiles and comparisons for people and programs. Pure.

pub mod advice;
pub mod code;
pub mod compare;
pub mod compare_markdown;
mod compare_sheets;
pub mod comparison;
mod costs;
pub mod csv;
pub mod disturbance;
pub mod export;
pub mod flamegraph;
pub mod folded;
pub mod format;
pub mod gate;
pub mod html;
pub mod interruption;
pub mod io;
pub mod markdown;
mod markdown_text;
pub mod memory;
mod metric_family;
pub mod openmetrics;
pub mod polling;
pub mod processes;
pub mod prose;
pub mod style;
pub mod table;
#[cfg(test)]
pub(crate) mod testing;
pub mod text;
pub mod timeline;
pub mod trace;
pub mod units;
pub mod verdict;
