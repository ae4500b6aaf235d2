//! The one list of causes.

use crate::coded::coded;

coded! {
    /// Why a thread entered the kernel.
    pub enum CauseKind: u8 {
        /// The program asked: `syscall`, `int 0x80`, `sysenter`. Detail: the number.
        Syscall = 1, "syscall";
        /// A user access to memory had no usable translation. Detail: the error
        /// code and the kind, see [`crate::fault::detail`].
        PageFault = 2, "page_fault";
        /// An interrupt arrived while the thread ran user code. Detail: the vector.
        Interrupt = 3, "interrupt";
        /// A non-maskable interrupt arrived while the thread ran user code.
        Nmi = 4, "nmi";
        /// Any other processor exception (`#UD`, `#GP`, `#DE`, `#BP`, `#DB`, …).
        Exception = 5, "exception";
        /// The first return of a new thread or process to user mode.
        NewTask = 6, "new_task";
        /// Seen, counted, and not understood.
        Unclassified = 7, "unclassified";
        /// A return to user mode seen by an exit probe. On the wire only: reading
        /// out turns it into one of the causes above by the entry stub's address.
        Return = 8, "return";
    }
}

/// Where returns from page faults are counted that had no room in the ledger, behind
/// the totals of each cause: as page faults, another program has counted them.
pub const RETURN_FROM_FAULT: u8 = 15;

/// Bits of the x86 page-fault error code, as the hardware defines them.
pub mod fault_bits {
    /// Set: the page was present and its protection was violated.
    pub const PROTECTION: u32 = 1 << 0;
    /// Set: the access was a write.
    pub const WRITE: u32 = 1 << 1;
    /// Set: the access came from user mode.
    pub const USER: u32 = 1 << 2;
    /// Set: a reserved bit of a page-table entry was set.
    pub const RESERVED: u32 = 1 << 3;
    /// Set: the access was an instruction fetch.
    pub const INSTRUCTION: u32 = 1 << 4;
    /// Set: a protection key forbids the access.
    pub const PROTECTION_KEY: u32 = 1 << 5;
    /// Set: the access was to a shadow stack.
    pub const SHADOW_STACK: u32 = 1 << 6;
    /// Set: the page is an enclave's.
    pub const ENCLAVE: u32 = 1 << 15;
}

/// What the kernel keeps as the number of a system call once a signal handler's
/// return has replaced all registers, and where there never was another: with
/// `syscall(-1)`, where a tracer took the number away, and in the calls by which
/// uprobes return.
pub const SYSCALL_NUMBER_CLEARED: u32 = u32::MAX;
