//! What is taken down of a system call that made memory: enough to find out
//! afterwards which code asked for it.

/// x86-64 numbers of the system calls that make memory.
pub mod number {
    /// `mmap`.
    pub const MMAP: u32 = 9;
    /// `brk`.
    pub const BRK: u32 = 12;
    /// `mremap`.
    pub const MREMAP: u32 = 25;
    /// `shmat`.
    pub const SHMAT: u32 = 30;
}

/// Words of user stack that are copied: 4 KiB hold a deep chain of allocators.
pub const STACK_WORDS: usize = 512;

/// How many bytes of stack are tried for, one after the other: near the top of a
/// stack there may be less than all.
pub const STACK_BYTES: [u32; 3] = [4096, 1024, 256];

/// A thread's registers in user mode, as `struct pt_regs` has them on every
/// supported kernel.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the processor's own names")]
pub struct UserRegs {
    pub r15: u64,
    pub r14: u64,
    pub r13: u64,
    pub r12: u64,
    pub bp: u64,
    pub bx: u64,
    pub r11: u64,
    pub r10: u64,
    pub r9: u64,
    pub r8: u64,
    pub ax: u64,
    pub cx: u64,
    pub dx: u64,
    pub si: u64,
    pub di: u64,
    pub orig_ax: u64,
    pub ip: u64,
    pub cs: u64,
    pub flags: u64,
    pub sp: u64,
    pub ss: u64,
}

/// One such call, as it comes through the ring buffer.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocationRecord {
    /// When it returned, by `CLOCK_MONOTONIC`.
    pub time_ns: u64,
    /// The process.
    pub tgid: u32,
    /// The thread.
    pub tid: u32,
    /// One of [`number`].
    pub number: u32,
    /// How much of `stack` is filled.
    pub stack_bytes: u32,
    /// The registers: arguments, result, and where the thread goes on.
    pub regs: UserRegs,
    /// The user stack from its pointer on.
    pub stack: [u64; STACK_WORDS],
}

const _: () = assert!(STACK_BYTES[0] as usize == STACK_WORDS * 8);
const _: () = assert!(size_of::<UserRegs>() == 168);
const _: () = assert!(size_of::<AllocationRecord>() == 24 + 168 + STACK_WORDS * 8);
