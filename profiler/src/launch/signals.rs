//! Signals as a stream of events, with who sent them.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd},
};

use anyhow::{Context, Result};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::{
        signal::{SigHandler, SigSet, SigmaskHow, Signal, kill, raise, signal, sigprocmask},
        signalfd::{SfdFlags, SignalFd},
    },
    unistd::Pid,
};
use tokio::io::{Interest, unix::AsyncFd};

use crate::{
    document::run::ChildUsage,
    sys::{self, is_ignored},
};

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

/// Signals that are kept from doing what they do, for as long as this lives.
pub struct Blocked {
    set: SigSet,
    before: SigSet,
}

impl Blocked {
    /// Blocks the ending signals and the news of children.
    ///
    /// An ending signal that is ignored stays so: `nohup` and a shell's background
    /// jobs ask for that, and the command will ignore it too.
    ///
    /// # Errors
    /// If the system does not.
    pub fn begin() -> Result<Self> {
        let mut set = SigSet::empty();
        set.add(Signal::SIGCHLD);
        for signal in ENDING {
            if !is_ignored(signal).context("cannot ask what signals do")? {
                set.add(signal);
            }
        }
        let before = set
            .thread_swap_mask(SigmaskHow::SIG_BLOCK)
            .context("cannot block signals")?;
        Ok(Self { set, before })
    }

    /// An ending signal that has arrived and that nobody has dealt with.
    #[must_use]
    pub fn arrived(&self) -> Option<Signal> {
        let mut pending = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: the set is written to memory made for it.
        let got = unsafe { libc::sigpending(pending.as_mut_ptr()) };
        if got != 0 {
            return None;
        }
        // SAFETY: the call has filled it in.
        let pending = unsafe { pending.assume_init() };
        // SAFETY: it comes from the system.
        let pending = unsafe { SigSet::from_sigset_t_unchecked(pending) };
        ENDING
            .into_iter()
            .find(|&signal| self.set.contains(signal) && pending.contains(signal))
    }

    /// Lets signals do what they do while something is waited for. Not if one has
    /// arrived already: it is for whoever looks next.
    pub fn released<T>(&self, work: impl FnOnce() -> T) -> T {
        if self.arrived().is_some() {
            return work();
        }
        set_mask(&self.before);
        let done = work();
        if let Err(error) = self.set.thread_block() {
            log::debug!("cannot block signals again: {error}");
        }
        done
    }
}

impl Drop for Blocked {
    /// What has arrived by now was dealt with, or meant for what is over: its result
    /// is not to be lost. Whoever had blocked signals before us sees them still.
    fn drop(&mut self) {
        if !self.before.contains(Signal::SIGCHLD) {
            while self.arrived().is_some() && self.set.wait().is_ok() {}
        }
        set_mask(&self.before);
    }
}

fn set_mask(set: &SigSet) {
    if let Err(error) = sigprocmask(SigmaskHow::SIG_SETMASK, Some(set), None) {
        log::debug!("cannot change which signals are blocked: {error}");
    }
}

/// Waits for news of a traced process. A signal that asks us to end ends the process,
/// which may have none to give otherwise, and is left for whoever waits next.
pub(super) fn wait_for_news(pid: Pid) -> io::Result<Option<(Pid, i32, ChildUsage)>> {
    let mut awaited: SigSet = ENDING.into_iter().collect();
    awaited.add(Signal::SIGCHLD);
    let mut told = None;
    let found = loop {
        let flags = if told.is_some() { 0 } else { libc::WNOHANG };
        match sys::wait4(pid.as_raw(), libc::__WALL | flags) {
            Ok(None) => {
                let arrived = awaited.wait()?;
                if arrived != Signal::SIGCHLD {
                    let _it_may_be_gone = kill(pid, Signal::SIGKILL);
                    told = Some(arrived);
                }
            }
            Err(error) if error.raw_os_error() == Some(libc::ECHILD) => break None,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            found => break found?,
        }
    };
    if let Some(ending) = told {
        raise(ending)?;
    }
    Ok(found)
}

/// The signals sent to this process from now on.
pub struct Signals {
    fd: AsyncFd<SignalFd>,
    _blocked: Blocked,
}

impl Signals {
    /// Takes over the ending signals and the news of children, as long as this lives.
    ///
    /// # Errors
    /// If the system cannot deliver them this way.
    pub fn take_over() -> Result<Self> {
        // Where it is ignored, children vanish without news.
        // SAFETY: no handler of ours is replaced: there is none.
        unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }
            .context("cannot receive news of children")?;
        let blocked = Blocked::begin()?;
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let fd = SignalFd::with_flags(&blocked.set, flags).context("cannot receive signals")?;
        // SAFETY: a signal file keeps the descriptor it has until it is dropped.
        let fd = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }
            .context("cannot wait for signals")?;
        Ok(Self {
            fd,
            _blocked: blocked,
        })
    }

    /// Waits until a file can be read, or has no writer any more, or a signal asks to
    /// end: which one.
    ///
    /// # Errors
    /// If the system stops delivering them.
    pub fn wait_for(&mut self, file: BorrowedFd<'_>) -> Result<Option<Signal>> {
        loop {
            let own = self.fd.get_ref().as_fd();
            let mut files = [file, own].map(|file| PollFd::new(file, PollFlags::POLLIN));
            match poll(&mut files, PollTimeout::NONE) {
                Err(Errno::EINTR) => continue,
                polled => polled.context("cannot wait for the command")?,
            };
            if files[0].any() == Some(true) {
                return Ok(None);
            }
            if let Some(ending) = self.ending()? {
                return Ok(Some(ending));
            }
        }
    }

    /// An ending signal that has arrived already. News of children is passed over.
    ///
    /// # Errors
    /// If the system stops delivering them.
    pub fn ending(&mut self) -> Result<Option<Signal>> {
        while let Some(info) = self.fd.get_ref().read_signal()? {
            let signal = Signal::try_from(i32::try_from(info.ssi_signo)?)?;
            if ENDING.contains(&signal) {
                return Ok(Some(signal));
            }
        }
        Ok(None)
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

    /// Whether an ending signal has come meanwhile. For work that is not waited for
    /// with [`next`](Self::next).
    #[must_use]
    pub fn is_asked_to_end(&self) -> bool {
        while let Ok(Some(info)) = self.fd.get_ref().read_signal() {
            let number = i32::try_from(info.ssi_signo).ok();
            let signal = number.and_then(|number| Signal::try_from(number).ok());
            if signal.is_some_and(|signal| ENDING.contains(&signal)) {
                return true;
            }
        }
        false
    }
}
