//! One system call in another process, between two of its own instructions.

use std::io;

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::{
    counting::{Counting, Suspended},
    ptrace::{self, News, Stop},
    vdso,
};
use crate::{document::run::ChildUsage, launch::signals::wait_for_news, sys::Ended};

/// Code segment of 64-bit programs.
const CODE_64: u64 = 0x33;

/// The process has ended under our hands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Exited(pub(super) Ended, pub(super) ChildUsage);

/// Why there was no call.
#[derive(Debug)]
pub(super) enum CallError {
    Exited(Exited),
    /// The process is as it was.
    Refused(String),
    /// The process has lost something by being followed.
    Harmed(String),
}

impl From<io::Error> for CallError {
    fn from(error: io::Error) -> Self {
        Self::Refused(error.to_string())
    }
}

/// Where the process is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StopPoint {
    /// Inside its `execve`.
    Exec,
    /// Before its first return to user mode.
    Birth,
}

/// Makes a stopped process call `mlockall(MCL_CURRENT | MCL_FUTURE)`, and puts
/// everything back. What the call gave: 0, or an error number negated.
///
/// Its entries are not counted while they are ours.
pub(super) fn mlockall(
    pid: Pid,
    at: StopPoint,
    syscall_offset: u64,
    counting: &mut dyn Counting,
) -> Result<i64, CallError> {
    let mut held = Held {
        pid,
        signals: Vec::new(),
    };
    if at == StopPoint::Exec {
        // To the end of execve: what it returns with shall not be overwritten.
        // It has been counted as a system call by now, or will be when it
        // really returns: either way once.
        step(pid, &mut held)?;
    }
    let saved = ptrace::registers(pid)?;
    if saved.cs != CODE_64 {
        return Err(CallError::Refused("it is a 32-bit program".to_owned()));
    }
    let instruction = vdso::base(pid)? + syscall_offset;
    let mut registers = saved;
    registers.rip = instruction;
    registers.rax = libc::SYS_mlockall.unsigned_abs();
    registers.rdi = u64::from((libc::MCL_CURRENT | libc::MCL_FUTURE).unsigned_abs());
    // Nothing to restart.
    registers.orig_rax = u64::MAX;
    let blocked = ptrace::blocked(pid)?;
    ptrace::block(pid, u64::MAX)?;
    let ours = Suspended::begin(counting, pid, at == StopPoint::Birth);
    let called = ptrace::set_registers(pid, &registers)
        .map_err(CallError::from)
        .and_then(|()| step(pid, &mut held))
        .and_then(|()| step(pid, &mut held))
        .and_then(|()| Ok(ptrace::registers(pid)?.rax.cast_signed()));
    if !matches!(called, Err(CallError::Exited(_))) {
        ptrace::set_registers(pid, &saved)?;
        ptrace::block(pid, blocked)?;
    }
    drop(ours);
    called
}

/// Signals that have come in between, held back until this is dropped.
struct Held {
    pid: Pid,
    signals: Vec<i32>,
}

impl Drop for Held {
    fn drop(&mut self) {
        for &signal in &self.signals {
            if let Ok(signal) = Signal::try_from(signal) {
                let _it_may_be_gone = kill(self.pid, signal);
            }
        }
    }
}

/// Lets the process go on to the next side of a system call.
fn step(pid: Pid, held: &mut Held) -> Result<(), CallError> {
    loop {
        ptrace::to_syscall(pid)?;
        let (_, status, usage) = wait_for_news(pid)?
            .ok_or_else(|| CallError::Refused("it cannot be waited for".to_owned()))?;
        match ptrace::understand(status, usage) {
            News::Ended(ended, usage) => return Err(CallError::Exited(Exited(ended, usage))),
            News::Stopped(Stop::Syscall) => return Ok(()),
            News::Stopped(Stop::Signal(signal)) => held.signals.push(signal),
            News::Stopped(_) => {}
        }
    }
}
