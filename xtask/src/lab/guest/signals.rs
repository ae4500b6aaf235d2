//! Ctrl-C and its kin, as something that can be asked for.

use anyhow::{Context as _, Result};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// The signals that end a program, held back so that the guest and its files
/// can be cleared away first.
#[derive(Debug)]
pub(in crate::lab) struct Signals {
    fd: SignalFd,
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
        Ok(Self { fd })
    }

    /// Whether one has come.
    pub(super) fn arrived(&self) -> bool {
        matches!(self.fd.read_signal(), Ok(Some(_)))
    }
}
