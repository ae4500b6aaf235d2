//! A result as one HTML page: no script, no network, one file. Pure.

pub mod chart;
pub mod document;
pub mod experiment;
pub mod page;
pub mod palette;
pub mod profile;
pub mod prose;
pub mod section;
pub mod shell;
pub mod table;
pub mod text;
pub mod tree;
