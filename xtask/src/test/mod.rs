//! `cargo xtask test`: every test, with all the set-up that it needs.

mod binaries;
mod command;
mod outcome;
mod prepare;
mod run;

pub(crate) use binaries::{Binary, build};
pub(crate) use command::{Options, run};
pub(crate) use outcome::{KnownCount, Outcome};
