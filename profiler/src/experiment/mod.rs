//! The same command under several variants, side by side.

pub mod analyse;
pub mod execute;
pub mod fio;
mod hooks;
pub mod model;
pub mod own_metrics;
pub mod plan;
pub mod saved;
mod schedule;
