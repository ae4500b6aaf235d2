//! A run's whole result, as data. From here on nothing needs root or a kernel.

pub mod allocation;
pub mod audit;
pub mod build;
pub mod checks;
pub mod code;
pub mod code_model;
pub mod file;
pub mod ledger;
pub mod model;
pub mod polling;
pub mod rates;
