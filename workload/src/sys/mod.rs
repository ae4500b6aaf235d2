//! The system calls that the standard library does not offer, each behind a
//! safe function.

pub(crate) mod affinity;
pub(crate) mod files;
pub(crate) mod huge_pages;
pub(crate) mod memory;
pub(crate) mod process;
