//! Interrupts told apart: what they were for, and who sent them.

/// What one row of the purpose map counts: calls of one kernel function by
/// interrupts that came from user mode.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PurposeKey {
    /// Address of the function that the interrupt had to call, or 0 where only
    /// the kind of work was seen.
    pub function: u64,
    /// The thread interrupted.
    pub tid: u32,
    /// Its incarnation.
    pub born: u32,
    /// The vector's code.
    pub vector: u32,
    /// The phase that the program had marked.
    pub phase: u16,
    /// Bits of [`purpose_flags`].
    pub flags: u16,
}

/// Bits of [`PurposeKey::flags`].
pub mod purpose_flags {
    /// Not the first function of its interrupt: the interrupt itself is counted
    /// under the first.
    pub const FURTHER: u16 = 1 << 0;
    /// No function was seen, but that the TLB was flushed for another CPU.
    pub const TLB_FLUSH: u16 = 1 << 1;
}

/// The interrupt that a CPU is handling, if it came from user mode.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handling {
    /// The thread interrupted, or 0: none that is measured.
    pub tid: u32,
    /// Its incarnation.
    pub born: u32,
    /// The vector's code.
    pub vector: u32,
    /// Functions called so far.
    pub calls: u32,
}

/// What one row of the sender map counts: interrupts asked for by one thread to
/// be sent to the CPU of another.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SenderKey {
    /// Address of the function that is to be called there, or 0: reschedule.
    pub function: u64,
    /// Address of the kernel code that asks for it.
    pub call_site: u64,
    /// The user instruction by which the sender had entered the kernel, or 0.
    pub user_ip: u64,
    /// The sender, as the initial pid namespace numbers it.
    pub tid: u32,
    /// Its process.
    pub tgid: u32,
    /// The number of the system call that it was in, or 0.
    pub syscall: u32,
    /// The measured thread that was running on the CPU.
    pub target_tid: u32,
    /// Its incarnation.
    pub target_born: u32,
    /// The sender's kernel stack, or negative: none.
    pub kernel_stack: i32,
    /// The sender's user stack, or negative: none.
    pub user_stack: i32,
    /// The phase that the program had marked.
    pub phase: u16,
    /// By which way the sender had entered the kernel: a
    /// [`CauseKind`](crate::cause::CauseKind) code for a system call or a page
    /// fault, 0 for a thread of the kernel's own or an interrupt handler.
    pub kind: u8,
    /// Bits of [`key_flags`](crate::key::key_flags).
    pub flags: u8,
}

/// The value of the sender map.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SenderCount {
    /// Interrupts asked for.
    pub count: u64,
    /// The sender's name, padded with zero bytes.
    pub comm: [u8; 16],
}

/// The measured thread that a CPU runs now: one word, so that other CPUs read
/// it in one piece.
#[must_use]
pub const fn running(tid: u32, born: u32) -> u64 {
    (tid as u64) | (born as u64) << 32
}

const _: () = assert!(size_of::<PurposeKey>() == 24);
const _: () = assert!(size_of::<SenderKey>() == 56);
