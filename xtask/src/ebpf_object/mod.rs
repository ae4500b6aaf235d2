//! How the eBPF object comes into being, and how to tell that it is up to date.
//!
//! `cargo xtask build-ebpf` and `profiler/build.rs` both compile this module
//! (the latter by `#[path]`), so that there is one recipe and one source hash.
//! Beyond the standard library it may use `anyhow` and `sha2`, nothing else.

pub(crate) mod layout;
pub(crate) mod lockfile;
pub(crate) mod manifest;
pub(crate) mod pins;
pub(crate) mod process;
pub(crate) mod recipe;
pub(crate) mod record;
pub(crate) mod registry;
pub(crate) mod sources;
pub(crate) mod toolchain;
