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
    /// Not 0 while entries are being counted.
    pub open: u64,
}
