//! The target's code by address, as plain data.

use std::collections::BTreeMap;

use profiler_common::cause::CauseKind;
use serde::{Deserialize, Serialize};

/// One function at an address, of several where functions were inlined.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserFrame {
    /// Its name, demangled.
    pub function: String,
    /// The source file, or null if that is not known.
    pub file: Option<String>,
    /// The line in it, or null if that is not known.
    pub line: Option<u32>,
}

/// What is known of one instruction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserCode {
    /// The program, library or `[vdso]` that it is in, or null if not known.
    pub module: Option<String>,
    /// Its address as the module itself counts, as `addr2line` wants it.
    pub module_address: Option<u64>,
    /// Functions, the innermost first. Empty if no name is known.
    pub frames: Vec<UserFrame>,
    /// Whether a thread begins in it, so that nothing called it.
    #[serde(default)]
    pub begins_thread: bool,
    /// Why something of it is not known, or null if all is.
    pub reason: Option<String>,
}

/// Where in a process an instruction lies, and what it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Located {
    /// The process.
    pub tgid: u32,
    /// The address.
    pub address: u64,
    /// Index into [`CodeTable::codes`].
    pub code: usize,
}

/// The instructions that were looked up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeTable {
    /// Each thing known once.
    pub codes: Vec<UserCode>,
    /// By process and address.
    pub located: Vec<Located>,
    /// Addresses in the ledger that were not looked up, since there are too many.
    pub left_out: u64,
    /// Whether the user ended the look-up before its end.
    #[serde(default)]
    pub interrupted: bool,
}

impl CodeTable {
    /// A way to look addresses up.
    #[must_use]
    pub fn index(&self) -> CodeIndex<'_> {
        let located = self.located.iter();
        CodeIndex(
            located
                .filter_map(|at| Some(((at.tgid, at.address), self.codes.get(at.code)?)))
                .collect(),
        )
    }
}

/// Code by process and address.
#[derive(Debug)]
pub struct CodeIndex<'a>(BTreeMap<(u32, u64), &'a UserCode>);

impl<'a> CodeIndex<'a> {
    /// The code at an address, if it was looked up.
    #[must_use]
    pub fn get(&self, tgid: u32, address: u64) -> Option<&'a UserCode> {
        self.0.get(&(tgid, address)).copied()
    }
}

/// Why a call chain ends where it goes on at what cannot be code.
pub const NO_CODE: &str = "the chain goes on to where the process had no executable memory: what \
                           follows are no calls";

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
