//! One measurement from beginning to end: the only place that knows all stages.

pub mod affinity;
mod describe;
pub mod metrics;
mod observe;
pub mod plan;
pub mod run;
mod window;
