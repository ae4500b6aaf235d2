//! Installing what a build of the eBPF object needs and this machine lacks.

mod debian;
mod missing;
mod privilege;
mod rust_source;

pub(crate) use missing::install as missing_toolchain;
pub(crate) use privilege::run as as_root;
