//! modeswitch: counts every entry of a program into the kernel, and names its
//! cause.
//!
//! Data flows one way, and each stage knows only the one before it:
//!
//! ```text
//! launch ─▶ probe ─▶ collect ─▶ classify ─▶ symbolize ─▶ profile ─▶ report, compare
//! (target)  (eBPF)   (snapshot)  (cause)     (names)      (document)   (pure)
//! ```
//!
//! [`measure::run`] is the only place that knows all stages up to the snapshot;
//! from [`profile`] on nothing needs root or a kernel.

pub mod classify;
pub mod cli;
pub mod collect;
pub mod compare;
pub mod digits;
pub mod document;
pub mod error;
pub mod exit_code;
pub mod experiment;
pub mod fix;
pub mod gap;
pub mod gate;
pub mod kernel;
pub mod launch;
pub mod measure;
pub mod named;
pub mod probe;
pub mod profile;
pub mod report;
pub mod stats;
pub mod symbolize;
pub mod sys;
pub mod untrusted;

pub use workload::cpu_list;
