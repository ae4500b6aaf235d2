//! What symbolizing a snapshot gives: the target's code by address, as plain data.

use std::collections::BTreeMap;

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

/// The call chain of some of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllocationStack {
    /// Indices into the table of code, the innermost first.
    pub frames: Vec<usize>,
    /// Why the chain ends before the thread's beginning, or null if it does not.
    pub truncated: Option<String>,
}

/// The names that belong to a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// The target's code for the addresses in the snapshot.
    pub code: CodeTable,
    /// Call chains behind calls that made memory.
    pub allocation_stacks: Vec<AllocationStack>,
    /// By copy of a stack: which of those chains it was unwound to.
    pub stack_of_copy: Vec<Option<usize>>,
}

impl Names {
    /// The number of the call chain that a copy of a stack was unwound to.
    #[must_use]
    pub fn allocation_stack(&self, copy: Option<usize>) -> Option<usize> {
        *self.stack_of_copy.get(copy?)?
    }
}
