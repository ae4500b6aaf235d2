//! The page of an experiment: before and after.

pub mod accounting;
pub mod causes;
pub mod latency;
pub mod method;
pub mod metrics;
pub mod page;
pub mod verdicts;

pub use page::page;
