//! Loading and attaching the eBPF programs.

pub mod attach_point;
pub mod backend;
pub mod catalog;
mod extras;
pub mod kernel_log;
mod links;
mod object;
pub mod privileges;
pub mod session;
pub mod settings;
