//! The window's clock, and our own share of it.

use std::time::{SystemTime, UNIX_EPOCH};

use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};

use crate::{collect::snapshot::Window, sys::monotonic_ns};

/// The beginning of the window, on both clocks.
pub(super) struct WindowClock {
    start_unix_ns: u64,
    start_ns: u64,
}

impl WindowClock {
    /// The window begins now.
    pub(super) fn start() -> Self {
        let unix = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            start_unix_ns: u64::try_from(unix.as_nanos()).unwrap_or(u64::MAX),
            start_ns: monotonic_ns(),
        }
    }

    /// When the window began, by `CLOCK_MONOTONIC`.
    pub(super) fn started_ns(&self) -> u64 {
        self.start_ns
    }

    /// The window ends now. Also the moment, by `CLOCK_MONOTONIC`.
    pub(super) fn stop(&self) -> (Window, u64) {
        let ended_ns = monotonic_ns();
        let window = Window {
            start_unix_ns: self.start_unix_ns,
            duration_ns: ended_ns - self.start_ns,
        };
        (window, ended_ns)
    }
}

/// CPU time that this process has used.
pub(super) fn own_cpu_ns() -> u64 {
    cpu_ns(UsageWho::RUSAGE_SELF)
}

/// CPU time that children have used whose end has been taken note of.
pub(super) fn children_cpu_ns() -> u64 {
    cpu_ns(UsageWho::RUSAGE_CHILDREN)
}

fn cpu_ns(who: UsageWho) -> u64 {
    let Ok(usage) = getrusage(who) else {
        return 0;
    };
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    u64::try_from(micros).unwrap_or(0) * 1_000
}
