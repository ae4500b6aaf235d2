//! Loading and attaching the eBPF programs.

pub mod attach_point;
pub mod backend;
mod calibration;
pub mod catalog;
mod constants;
pub mod kernel_log;
mod links;
mod major_faults;
mod object;
pub mod session;
pub mod settings;
pub mod status;
