//! The one list of causes.

/// Defines [`CauseKind`], its wire codes and its names from one table.
macro_rules! causes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal;)+) => {
        /// Why a thread entered the kernel.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum CauseKind {
            $($(#[$doc])* $variant = $code,)+
        }

        impl CauseKind {
            /// Every cause, in the order in which reports list them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name used in documents, budgets and tables.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The number that stands for this cause in a map key.
            #[must_use]
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The cause that a map key's number stands for.
            #[must_use]
            pub const fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }

            /// The cause that a document names.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

causes! {
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

/// The [`LedgerKey::detail`](crate::key::LedgerKey::detail) of a system call
/// whose number the kernel has overwritten by the time it returns: only
/// `rt_sigreturn` does that.
pub const SYSCALL_NUMBER_CLEARED: u32 = u32::MAX;
