//! `cargo xtask lab`: stock distribution kernels in QEMU, with this machine's
//! files, to run a command or the test suite in.

mod cache;
mod command;
mod exactness;
mod fred;
mod guest;
mod initramfs;
mod kernels;
mod scenario;
mod side_by_side;
mod suite;
mod tools;

pub(crate) use command::{Options, run, scenarios};
pub(crate) use tools::NEEDED;
