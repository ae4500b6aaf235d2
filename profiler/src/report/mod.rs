//! Profiles and comparisons for people and programs. Pure.

pub mod check_view;
pub mod comparison_view;
pub mod csv;
pub mod experiment_view;
pub mod export;
pub mod flamegraph;
pub mod folded;
pub mod format;
pub mod gate;
pub mod html;
pub mod markdown;
mod metric_family;
pub mod openmetrics;
pub mod profile_view;
pub mod prose;
mod shell;
pub mod style;
pub mod terminal;
#[cfg(test)]
pub(crate) mod testing;
pub mod timeline;
pub mod trace;
pub mod units;
pub mod verdict;
pub mod view;
