//! The parts of the profile document that name the target's code.

use serde::{Deserialize, Serialize};

use crate::named::CauseName;

/// Entries made by one instruction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CodeRow {
    /// As in [`CauseRow`](super::profile::CauseRow).
    #[schemars(description = "As in [`CauseRow`](super::model::CauseRow).")]
    pub cause: CauseName,
    /// As in [`CauseRow`](super::profile::CauseRow).
    #[schemars(description = "As in [`CauseRow`](super::model::CauseRow).")]
    pub detail: String,
    /// Entries.
    pub count: u64,
    /// The process.
    pub tgid: u32,
    /// The instruction's address, in hexadecimal.
    pub user_ip: String,
    /// Its function, or null if that is not known.
    pub symbol: Option<String>,
    /// Its source file, or null if that is not known.
    pub file: Option<String>,
    /// The line in it, or null if that is not known.
    pub line: Option<u32>,
    /// The call chain, innermost first, or null if none was taken.
    pub stack: Option<Vec<String>>,
    /// The program or library that it is in, or null if that is not known.
    #[serde(default)]
    pub module: Option<String>,
    /// Its address as the module itself counts, in hexadecimal, as `addr2line`
    /// wants it.
    #[serde(default)]
    pub module_address: Option<String>,
    /// Where `symbol` was inlined: the functions around it, innermost first.
    #[serde(default)]
    pub inlined_into: Vec<String>,
    /// Why something of this is not known, or null if all is.
    #[serde(default)]
    pub reason: Option<String>,
}

/// How often one user stack was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct UserStack {
    /// As in [`CauseRow`](super::profile::CauseRow).
    #[schemars(description = "As in [`CauseRow`](super::model::CauseRow).")]
    pub cause: CauseName,
    /// As in [`CauseRow`](super::profile::CauseRow).
    #[schemars(description = "As in [`CauseRow`](super::model::CauseRow).")]
    pub detail: String,
    /// The process.
    pub tgid: u32,
    /// Times seen. With the `sample` policy, not the number of entries.
    pub count: u64,
    /// Frames, innermost first: `function file:line`. Found by frame pointers:
    /// the caller of a function that has none is not among them.
    pub frames: Vec<String>,
    /// Why the chain ends before the thread's beginning, or null if it does not.
    pub truncated: Option<String>,
}

/// Calls that made memory, from one place in the program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct AllocationRow {
    /// The process.
    pub tgid: u32,
    /// `mmap`, `brk`, `mremap` or `shmat`.
    pub call: String,
    /// The innermost code that is no allocator: `f at a.c:1 (via malloc)`.
    pub allocated_at: String,
    /// The whole call chain, innermost first.
    pub stack: Vec<String>,
    /// Why the chain ends before the thread's beginning, or null if it does not.
    pub truncated: Option<String>,
    /// Calls.
    pub calls: u64,
    /// Memory asked for, in all of them.
    pub bytes: u64,
}
