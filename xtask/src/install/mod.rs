//! Installing what this workspace's chores need and this machine lacks.

pub(crate) mod apt;
mod missing;
mod packages;
mod privilege;
mod rust_source;

pub(crate) use missing::install as missing_toolchain;
pub(crate) use packages::{FOR_TESTS, Need, ensure, find_program, missing};
pub(crate) use privilege::run as as_root;
