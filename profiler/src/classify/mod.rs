//! From a row's numbers to a cause. Pure.

pub mod cause;
pub mod entry;
pub mod fault;
pub mod purpose;
pub mod returned;
pub mod syscall;
