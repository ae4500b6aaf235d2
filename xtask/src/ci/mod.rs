//! `cargo xtask ci`: all that has to hold before a change goes in.

mod bare;
mod checks;
mod command;

pub(crate) use command::{Options, run};
