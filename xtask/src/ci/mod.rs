//! `cargo xtask ci`: all that has to hold before a change goes in.

mod bare;
mod binaries;
mod command;
mod deny;
mod lint;
mod no_op;
mod step;

pub(crate) use command::{Options, run};
