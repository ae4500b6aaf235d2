//! The state by which counting is switched on and off.

/// Two words in the programs' memory.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WindowState {
    /// Changes whenever what is known of a thread may no longer hold: at the end
    /// of each measured thread, and when the window opens or closes. Cached
    /// lines of an older epoch are not believed, so that a reused thread number
    /// can never be taken for the thread that had it before.
    pub epoch: u64,
    /// Bits of [`open`]: not 0 while entries are being counted.
    pub open: u64,
}

/// Bits of [`WindowState::open`].
pub mod open {
    /// Entries are being counted.
    pub const COUNT: u64 = 1 << 0;
    /// A thread that is killed on its way out of the kernel never passes the
    /// exit probe in use, so its end is counted in place of its return.
    pub const COUNT_KILLED: u64 = 1 << 1;
    /// Calls that made memory are taken down by the system-call program.
    pub const ALLOCATIONS_AT_SYSCALL_EXIT: u64 = 1 << 2;
    /// Calls that made memory are taken down by the exit probe.
    pub const ALLOCATIONS_AT_RETURN: u64 = 1 << 3;
}
