//! Rows as the programs keep them, and what the addresses in them mean.

use profiler_common::cause::CauseKind;
use serde::{Deserialize, Serialize};

/// One row of the ledger as the programs keep it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The thread.
    pub tid: u32,
    /// Which thread of that number it is.
    pub generation: u32,
    /// The user instruction responsible, or 0.
    pub user_ip: u64,
    /// System-call number, page-fault detail, or vector, by `kind`.
    pub detail: u32,
    /// Return address of the entry stub. Exit probes only: else 0.
    pub stub_return: u64,
    /// The phase.
    pub phase: u16,
    /// The cause's code.
    pub kind: u8,
    /// Bits of `key_flags`.
    pub flags: u8,
    /// Entries.
    pub count: u64,
}

/// Stands for a frame that could not be kept.
pub const UNKNOWN_FRAME: u64 = 0;

/// One row of the stack ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackRow {
    /// What was counted; `user_ip` is 0 here.
    pub row: Row,
    /// Kernel frames, innermost first. Empty if the stack was lost.
    pub kernel: Vec<u64>,
    /// User frames, innermost first. Empty if the stack was lost.
    pub user: Vec<u64>,
}

/// Submissions to an io_uring in one phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmissionRow {
    /// The phase.
    pub phase: u16,
    /// Taken off the ring by the kernel's submission thread.
    pub by_sq_thread: u64,
    /// Taken off the ring in a system call.
    pub by_enter: u64,
}

/// The address to look up for one that a thread would have gone on at: the
/// instruction before it. A call may be a function's last instruction, so that
/// the address behind it belongs to another line or even another function.
#[must_use]
pub const fn before(address: u64) -> u64 {
    address.saturating_sub(1)
}

/// The address to look up for the instruction in a row of the ledger: a fault is
/// taken at the instruction, a system call goes on behind it.
#[must_use]
pub fn lookup_address(kind: CauseKind, user_ip: u64) -> u64 {
    if kind == CauseKind::PageFault {
        user_ip
    } else {
        before(user_ip)
    }
}
