//! The kernel's entry stubs that the programs must recognise by address.
//!
//! The word below a thread's saved registers is the return address that the
//! stub pushed, so an address range per stub is all it takes to tell where the
//! thread came in.

use crate::vector::Vector;

/// A half-open range of kernel text: `start <= address < end`. Empty if unknown.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextRange {
    /// First address.
    pub start: u64,
    /// First address after the range.
    pub end: u64,
}

impl TextRange {
    /// Whether `address` lies in the range.
    #[inline(always)]
    #[must_use]
    pub const fn contains(&self, address: u64) -> bool {
        // One comparison: an address below the start wraps far above the length.
        address.wrapping_sub(self.start) < self.end.wrapping_sub(self.start)
    }
}

/// The ranges that the programs compare against, filled in before loading.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EntryText {
    /// All entry code (`__entry_text_start` to `__entry_text_end`).
    pub all: TextRange,
    /// The 64-bit `syscall` instruction.
    pub syscall: TextRange,
    /// `int 0x80`, under any of its names.
    pub int80: TextRange,
    /// `sysenter` and the 32-bit `syscall` instruction.
    pub compat: TextRange,
    /// Page faults.
    pub page_fault: TextRange,
    /// The first return of a new task.
    pub ret_from_fork: TextRange,
    /// Device interrupts.
    pub common_interrupt: TextRange,
    /// Non-maskable interrupts.
    pub nmi: TextRange,
    /// One stub for each [`Vector`], by its code.
    pub vectors: [TextRange; Vector::ALL.len()],
}

impl EntryText {
    /// Nothing is known: every range is empty.
    pub const UNKNOWN: Self = {
        const EMPTY: TextRange = TextRange { start: 0, end: 0 };
        Self {
            all: EMPTY,
            syscall: EMPTY,
            int80: EMPTY,
            compat: EMPTY,
            page_fault: EMPTY,
            ret_from_fork: EMPTY,
            common_interrupt: EMPTY,
            nmi: EMPTY,
            vectors: [EMPTY; Vector::ALL.len()],
        }
    };
}
