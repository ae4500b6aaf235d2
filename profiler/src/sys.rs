//! What the system offers and no crate in use wraps as it is needed here.

pub mod confined;
pub mod fault_counters;
pub mod files;
pub mod perf_event;
pub mod privileges;
pub mod proc;

use std::{
    io::{self, IsTerminal},
    mem::MaybeUninit,
    sync::OnceLock,
};

use nix::{
    sys::{
        resource::{Resource, getrlimit, rlim_t, setrlimit},
        signal::Signal,
    },
    unistd::Pid,
};

use crate::document::run::ChildUsage;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with this status.
    Exited(i32),
    /// By this signal.
    Killed(i32),
}

/// Whether only results and errors are wanted (`-q`).
#[must_use]
pub fn is_quiet() -> bool {
    !log::log_enabled!(log::Level::Warn)
}

/// Whether to tell how far something is: to a terminal, and not if quiet is wanted.
#[must_use]
pub fn shows_progress() -> bool {
    !is_quiet() && io::stderr().is_terminal()
}

/// Whether a signal to this process is thrown away.
///
/// # Errors
/// If there is no such signal.
pub fn is_ignored(signal: Signal) -> io::Result<bool> {
    let mut action = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: the old action is written to memory made for it; there is no new one.
    let result = unsafe { libc::sigaction(signal as i32, std::ptr::null(), action.as_mut_ptr()) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has filled it in.
    Ok(unsafe { action.assume_init() }.sa_sigaction == libc::SIG_IGN)
}

/// The process that a thread belongs to. Nothing if the thread has ended, whether or
/// not anybody has asked how.
#[must_use]
pub fn process_of(tid: u32) -> Option<u32> {
    let status = proc::Status::of(tid).ok()?;
    if status.has_ended() {
        return None;
    }
    status.process()
}

/// Collects a child that has ended. Nothing if it still runs.
///
/// # Errors
/// If it is not our child.
pub fn try_wait(pid: Pid) -> io::Result<Option<(Ended, ChildUsage)>> {
    Ok(
        wait4(pid.as_raw(), libc::WNOHANG)?.map(|(_, status, usage)| {
            let ended = if libc::WIFSIGNALED(status) {
                Ended::Killed(libc::WTERMSIG(status))
            } else {
                Ended::Exited(libc::WEXITSTATUS(status))
            };
            (ended, usage)
        }),
    )
}

/// News of any traced process, as `wait4` has it: who, the status, and the use.
/// Nothing if there is none now, or there never will be.
///
/// # Errors
/// If the system cannot say.
pub fn traced_news() -> io::Result<Option<(Pid, i32, ChildUsage)>> {
    loop {
        match wait4(-1, libc::__WALL | libc::WNOHANG) {
            Err(error) if error.raw_os_error() == Some(libc::ECHILD) => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            found => return found,
        }
    }
}

pub(crate) fn wait4(pid: i32, flags: i32) -> io::Result<Option<(Pid, i32, ChildUsage)>> {
    let mut status = 0;
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: both pointers are to live memory of the right size.
    let found = unsafe { libc::wait4(pid, &raw mut status, flags, usage.as_mut_ptr()) };
    match found {
        0 => Ok(None),
        -1 => Err(io::Error::last_os_error()),
        found => {
            // SAFETY: zeroed is a valid `rusage`, and the kernel has filled it.
            let usage = unsafe { usage.assume_init() };
            Ok(Some((Pid::from_raw(found), status, usage_of(&usage))))
        }
    }
}

/// The numbers in use here.
fn usage_of(usage: &libc::rusage) -> ChildUsage {
    let count = |value: libc::c_long| u64::try_from(value).unwrap_or(0);
    let ns = |time: libc::timeval| count(time.tv_sec) * 1_000_000_000 + count(time.tv_usec) * 1_000;
    ChildUsage {
        minor_faults: count(usage.ru_minflt),
        major_faults: count(usage.ru_majflt),
        voluntary_switches: count(usage.ru_nvcsw),
        involuntary_switches: count(usage.ru_nivcsw),
        user_ns: ns(usage.ru_utime),
        system_ns: ns(usage.ru_stime),
    }
}

/// The limit on open files that this process was started with, once it is raised.
static OPEN_FILES: OnceLock<Option<(rlim_t, rlim_t)>> = OnceLock::new();

/// Raises this process's limit on open files as far as it may: probes take several for
/// each processor. Commands get [`open_files_before`].
pub fn raise_open_files() {
    OPEN_FILES.get_or_init(|| {
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
        if soft >= hard {
            return None;
        }
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard).ok()?;
        Some((soft, hard))
    });
}

/// The limit on open files before it was raised, if it was.
#[must_use]
pub fn open_files_before() -> Option<(rlim_t, rlim_t)> {
    OPEN_FILES.get().copied().flatten()
}

/// The time on the clock that the kernel's `bpf_ktime_get_ns` reads.
#[must_use]
pub fn monotonic_ns() -> u64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the pointer is to live memory; this clock always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    seconds * 1_000_000_000 + u64::try_from(now.tv_nsec).unwrap_or(0)
}
