//! Signals as a stream of events, with who sent them.

use anyhow::{Context, Result};
use nix::sys::{
    signal::{SigHandler, SigSet, Signal, signal},
    signalfd::{SfdFlags, SignalFd},
};
use tokio::io::{Interest, unix::AsyncFd};

use crate::sys::is_ignored;

/// A signal that has arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// Which one.
    pub signal: Signal,
    /// Whether the terminal sent it, which then has sent it to the command too.
    pub from_terminal: bool,
}

/// Signals that ask the profiler to end.
pub const ENDING: [Signal; 4] = [
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGQUIT,
    Signal::SIGHUP,
];

/// The `si_code` of a signal that the kernel sent of its own accord.
const SI_KERNEL: i32 = 0x80;

/// The signals sent to this process from now on.
pub struct Signals {
    fd: AsyncFd<SignalFd>,
}

impl Signals {
    /// Takes over the ending signals and the news of children.
    ///
    /// An ending signal that is ignored stays so: `nohup` and a shell's background
    /// jobs ask for that, and the command will ignore it too.
    ///
    /// # Errors
    /// If the system cannot deliver them this way.
    pub fn take_over() -> Result<Self> {
        let mut set = SigSet::empty();
        set.add(Signal::SIGCHLD);
        // Where it is ignored, children vanish without news.
        // SAFETY: no handler of ours is replaced: there is none.
        unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }
            .context("cannot receive news of children")?;
        for signal in ENDING {
            if !is_ignored(signal).context("cannot ask what signals do")? {
                set.add(signal);
            }
        }
        set.thread_block().context("cannot block signals")?;
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let fd = SignalFd::with_flags(&set, flags).context("cannot receive signals")?;
        // SAFETY: a signal file keeps the descriptor it has until it is dropped.
        let fd = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }
            .context("cannot wait for signals")?;
        Ok(Self { fd })
    }

    /// The next signal.
    ///
    /// # Errors
    /// If the system stops delivering them.
    pub async fn next(&mut self) -> Result<Arrived> {
        loop {
            let mut ready = self.fd.readable_mut().await?;
            let Some(info) = ready.get_inner_mut().read_signal()? else {
                ready.clear_ready();
                continue;
            };
            let number = i32::try_from(info.ssi_signo)?;
            return Ok(Arrived {
                signal: Signal::try_from(number)?,
                from_terminal: info.ssi_code == SI_KERNEL,
            });
        }
    }
}
