//! How a guest ended, and what the lab's own exit status says of it.

use std::fmt;

/// The guest crashed, hung or never came up.
const GUEST_LOST: u8 = 120;
/// As `timeout` has it.
const TIMED_OUT: u8 = 124;
/// As a shell has it after Ctrl-C.
const INTERRUPTED: u8 = 130;

/// What became of a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::lab) enum Ending {
    /// The command ran to its end, with this status.
    Exited(u8),
    /// The guest crashed or hung; how that showed.
    Lost(String),
    /// The time allowed was over.
    TimedOut,
    /// Somebody pressed Ctrl-C.
    Interrupted,
}

impl Ending {
    pub(in crate::lab) fn status(&self) -> u8 {
        match self {
            Self::Exited(status) => *status,
            Self::Lost(_) => GUEST_LOST,
            Self::TimedOut => TIMED_OUT,
            Self::Interrupted => INTERRUPTED,
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(0) => f.write_str("ok"),
            Self::Exited(status) => write!(f, "status {status}"),
            Self::Lost(how) => write!(f, "guest lost: {how}"),
            Self::TimedOut => f.write_str("timed out"),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}
