//! From a row's numbers to a cause. Pure.

pub mod cause;
pub mod entries;
mod entry;
pub mod fault;
pub mod purpose;
mod returned;
pub mod syscall;
