//! How the eBPF object comes into being, and how to tell that it is up to date.
//!
//! The profiler's build script embeds the object and `cargo xtask build-ebpf` checks it
//! in; both go by this one recipe and this one source hash.
#![expect(
    clippy::missing_errors_doc,
    reason = "an error says what could not be done, for people to read"
)]

pub mod pins;
pub mod process;
pub mod recipe;
pub mod record;
pub mod toolchain;
pub mod workspace;
