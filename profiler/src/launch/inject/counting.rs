//! Telling whoever counts which entries are not the program's.

use nix::unistd::Pid;

/// Whoever counts entries, to be told which are not the program's.
pub trait Counting {
    /// Entries of this thread are ours from here on, until it is resumed.
    fn suspend(&mut self, tid: u32);
    /// And the program's again. Whether its first return was put off until now.
    fn resume(&mut self, tid: u32, was_born: bool);
    /// This thread is about to end, and its process's memory can be looked at
    /// for the last time. Where that was locked from its beginning, so many bytes
    /// were left out.
    fn ending(&mut self, _tid: u32, _unlocked_bytes: Option<u64>) {}
}

/// A thread whose entries are ours for as long as this lives.
pub(super) struct Suspended<'a> {
    counting: &'a mut dyn Counting,
    tid: u32,
    was_born: bool,
}

impl<'a> Suspended<'a> {
    /// Its entries are ours from now on. It `was_born` if its first return is to come.
    pub(super) fn begin(counting: &'a mut dyn Counting, pid: Pid, was_born: bool) -> Self {
        let tid = pid.as_raw().unsigned_abs();
        counting.suspend(tid);
        Self {
            counting,
            tid,
            was_born,
        }
    }
}

impl Drop for Suspended<'_> {
    fn drop(&mut self) {
        self.counting.resume(self.tid, self.was_born);
    }
}
