//! `cargo xtask test`: every test, with all the set-up that it needs.

mod binaries;
mod command;
mod known;
mod outcome;
mod output;
mod prepare;

pub(crate) use binaries::{Binary, build};
pub(crate) use command::{Options, run};
pub(crate) use known::KnownCount;
pub(crate) use outcome::Outcome;
