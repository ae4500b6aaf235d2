//! A result as one HTML page: no script, no network, one file. Pure.

pub mod chart;
pub mod page;
pub mod palette;
pub mod prose;
pub mod table;
pub mod text;
mod view;

pub use view::write;
