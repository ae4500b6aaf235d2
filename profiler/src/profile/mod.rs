//! A run's whole result, as data. From here on nothing needs root or a kernel.

pub mod audit;
pub mod build;
pub mod checks;
pub mod fault_checks;
pub mod file;
pub mod ledger;
pub mod memory;
pub mod model;
pub mod polling;
pub mod rates;
