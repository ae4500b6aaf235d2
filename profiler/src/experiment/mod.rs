//! The same command under several variants, side by side.

pub mod analyse;
pub mod compare;
pub mod conclude;
mod costs;
pub mod execute;
pub mod fio;
mod hooks;
pub mod model;
pub mod own_metrics;
pub mod plan;
mod schedule;
