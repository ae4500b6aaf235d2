//! Keys and values of the ledger map.

/// What one ledger row counts. All fields are part of the key.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LedgerKey {
    /// The thread, as the initial pid namespace numbers it.
    pub tid: u32,
    /// Tells apart threads that had the same number one after the other.
    pub born: u32,
    /// The user instruction responsible, or 0 where there is none to name.
    pub user_ip: u64,
    /// System-call number, page-fault detail, or vector, by `kind`.
    pub detail: u32,
    /// Low half of how the thread came in ([`crate::stub`]). Exit probes only: else 0.
    pub slot: u32,
    /// The phase that the program had marked.
    pub phase: u16,
    /// A [`CauseKind`](crate::cause::CauseKind) code.
    pub kind: u8,
    /// Bits of [`key_flags`].
    pub flags: u8,
    /// Always zero.
    pub padding: u32,
}

/// Bits of [`LedgerKey::flags`].
pub mod key_flags {
    /// The system call came in through the 32-bit gate and has its numbering.
    pub const COMPAT: u8 = 1 << 0;
}

/// One line of the per-CPU cache in front of the ledger.
///
/// A loop makes the same few entries over and over: its counts are collected
/// here with one comparison and one increment, and reach the ledger when the
/// line is taken over by another key or read out at the end.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheLine {
    /// Entries not yet added to the ledger.
    pub count: u64,
    /// Not 0 while the line is taken over: what it held is then in neither place.
    pub moving: u64,
    /// What identifies the line on the hot path: thread and epoch, instruction,
    /// detail and stub, phase and cause.
    pub ident: [u64; 4],
    /// The row that `count` belongs to.
    pub key: LedgerKey,
}

/// Lines in each region of the cache. A power of two.
pub const CACHE_LINES: u32 = 256;

/// Regions of the cache: programs that can interrupt one another on a CPU never
/// share one.
pub mod region {
    /// The system-call program, which newer kernels may preempt.
    pub const SYSCALL: u32 = 0;
    /// Programs that run with interrupts off.
    pub const IRQS_OFF: u32 = 1;
    /// The one that runs before it, which can preempt it.
    pub const SYSCALL_AHEAD: u32 = 2;
    /// How many there are.
    pub const COUNT: u32 = 3;
}

/// What one row of the stack ledger counts.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StackKey {
    /// The thread.
    pub tid: u32,
    /// Its incarnation.
    pub born: u32,
    /// System-call number, page-fault detail, or vector, by `kind`.
    pub detail: u32,
    /// Kernel stack id, or negative: none.
    pub kernel_stack: i32,
    /// User stack id, or negative: none.
    pub user_stack: i32,
    /// Low half of how the thread came in ([`crate::stub`]). Exit probes only: else 0.
    pub slot: u32,
    /// The phase that the program had marked.
    pub phase: u16,
    /// A [`CauseKind`](crate::cause::CauseKind) code.
    pub kind: u8,
    /// Bits of [`key_flags`].
    pub flags: u8,
}

/// Set in a stack id: the stack is stored without its innermost frame.
pub const WITHOUT_INNERMOST: i32 = 1 << 30;

const _: () = assert!(size_of::<LedgerKey>() == 32);
const _: () = assert!(size_of::<CacheLine>() == 80);
const _: () = assert!(size_of::<StackKey>() == 28);
const _: () = assert!(CACHE_LINES.is_power_of_two());
