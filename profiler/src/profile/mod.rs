//! A run's whole result, as data. From here on nothing needs root or a kernel.

pub mod advice;
pub mod allocation;
#[cfg(test)]
pub(crate) mod arbitrary;
pub mod audit;
pub mod build;
pub mod checks;
pub mod code;
pub mod disturbance;
pub mod exactness;
pub mod fault_checks;
pub mod file;
pub mod ledger;
pub mod mapping_site;
pub mod memory;
pub mod merge;
pub mod numa_checks;
pub mod polling;
pub mod polling_findings;
pub mod processes;
pub mod purpose;
pub mod rates;
pub mod selection;
pub mod senders;
pub mod timeline;

pub use crate::document::profile as model;
