//! Ctrl-C and its kin, as something that can be asked for.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, Result};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// The signals that end a program, held back so that the guest and its files
/// can be cleared away first.
#[derive(Debug)]
pub(in crate::lab) struct Signals {
    fd: SignalFd,
    /// Several guests may ask, and a signal can be read but once.
    has_arrived: AtomicBool,
}

impl Signals {
    pub(in crate::lab) fn hold_back() -> Result<Self> {
        let mut set = SigSet::empty();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            set.add(signal);
        }
        set.thread_block().context("cannot hold back signals")?;
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let fd = SignalFd::with_flags(&set, flags).context("cannot receive signals")?;
        Ok(Self {
            fd,
            has_arrived: AtomicBool::new(false),
        })
    }

    /// Whether one has come.
    pub(in crate::lab) fn arrived(&self) -> bool {
        if matches!(self.fd.read_signal(), Ok(Some(_))) {
            self.has_arrived.store(true, Ordering::Relaxed);
        }
        self.has_arrived.load(Ordering::Relaxed)
    }
}
