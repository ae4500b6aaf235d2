//! Installing what this workspace's chores need and this machine lacks.

pub(crate) mod apt;
mod packages;
mod toolchain;

pub(crate) use packages::{FOR_TESTS, Need, as_root, ensure, find_program, missing};
pub(crate) use toolchain::install as missing_toolchain;
