//! The first files that a guest sees: enough to find this machine's.

mod build;
mod cpio;
mod graph;
mod module;

pub(super) use build::{build, of};
