//! Which threads are measured, and what is known of them.

/// The value of the thread table: one row for each thread being followed.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThreadState {
    /// The kernel's address of the thread, which nobody else has while the thread
    /// lives: a row whose thread is another one is not believed. 0 in a row that
    /// the profiler made, until a program meets the thread.
    pub task: u64,
    /// Tells apart threads that had the same number one after the other.
    pub born: u32,
    /// One of [`state`].
    pub state: u32,
    /// Not 0 from when the first of two system-call programs has run until the second
    /// does, which counts what the first was kept from.
    pub seen: u64,
}

/// Values of [`ThreadState::state`].
pub mod state {
    /// Known, but not counted before it has executed the measured command.
    pub const UNTIL_EXEC: u32 = 1;
    /// Counted.
    pub const COUNTED: u32 = 2;
    /// Counted. Its first return has been put off, and will be that of a system call
    /// that was made for it.
    pub const FIRST_RETURN: u32 = 3;
    /// Not counted, since what it does is not its own.
    pub const SUSPENDED: u32 = 4;
    /// A thread of the kernel's own that works for a measured process, as io_uring's
    /// do. It never is in user mode, so it has nothing to be counted.
    pub const WORKER: u32 = 5;

    /// Whether entries of a thread in this state are counted.
    #[inline(always)]
    #[must_use]
    pub const fn is_counted(state: u32) -> bool {
        state == COUNTED || state == FIRST_RETURN
    }
}

/// The key of the description table.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThreadId {
    /// The thread, as the initial pid namespace numbers it.
    pub tid: u32,
    /// Tells apart threads that had the same number one after the other.
    pub born: u32,
}

/// What is known of a thread.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ThreadInfo {
    /// When it was first followed, by `CLOCK_MONOTONIC`.
    pub started_ns: u64,
    /// When it ended, or 0 while it lives.
    pub ended_ns: u64,
    /// The process it belongs to.
    pub tgid: u32,
    /// The thread that created it, or 0 where that is not known.
    pub parent_tid: u32,
    /// Its name, padded with zero bytes.
    pub comm: [u8; 16],
}

/// A signal that a thread has handled or is handling.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SignalFrame {
    /// The stack pointer to which its return goes back.
    pub sp: u64,
    /// The instruction to which it does, unless the handler changes that.
    pub ip: u64,
    /// The handler.
    pub handler: u64,
}

/// The last few signals that a thread has handled, the newest first.
pub type SignalFrames = [SignalFrame; 4];

/// The incarnation mark of a thread first followed at this moment.
///
/// Units of 65 µs: a thread number cannot come round again within one.
#[inline(always)]
#[must_use]
pub const fn born_at(monotonic_ns: u64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a mark need only differ from its neighbours"
    )]
    let mark = (monotonic_ns >> 16) as u32;
    mark
}
