//! Signals, ids and the clock.

use std::{
    io,
    mem::MaybeUninit,
    sync::atomic::{AtomicBool, Ordering},
};

/// Set by the first Ctrl-C or SIGTERM; the hot loop reads it, and needs no
/// system call for that.
static STOP: AtomicBool = AtomicBool::new(false);

const SIGNALS: [libc::c_int; 2] = [libc::SIGINT, libc::SIGTERM];

/// Ctrl-C and SIGTERM ask for an orderly end while this lives. The second one
/// ends the process as usual.
pub(crate) struct StopOnSignal {
    before: Vec<(libc::c_int, libc::sigaction)>,
}

impl StopOnSignal {
    pub(crate) fn begin() -> io::Result<Self> {
        STOP.store(false, Ordering::Relaxed);
        let mut before = Vec::new();
        for signal in SIGNALS {
            before.push((signal, handle(signal)?));
        }
        Ok(Self { before })
    }
}

impl Drop for StopOnSignal {
    fn drop(&mut self) {
        for (signal, action) in &self.before {
            // SAFETY: the action is the one that the kernel reported before.
            unsafe { libc::sigaction(*signal, action, std::ptr::null_mut()) };
        }
    }
}

/// Has a signal asked us to stop?
#[inline]
pub(crate) fn stop_requested() -> bool {
    STOP.load(Ordering::Relaxed)
}

extern "C" fn request_stop(_signal: libc::c_int) {
    STOP.store(true, Ordering::Relaxed);
}

fn handle(signal: libc::c_int) -> io::Result<libc::sigaction> {
    let action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: zero is a valid value of every field: default action, no flags.
    let mut action = unsafe { action.assume_init() };
    action.sa_sigaction = request_stop as extern "C" fn(libc::c_int) as libc::sighandler_t;
    // Without SA_RESTART a blocking io_uring_enter returns, and the loop looks.
    action.sa_flags = libc::SA_RESETHAND;
    let mut before = action;
    // SAFETY: the handler only stores to an atomic, which any signal context
    // may do, and both structures outlive the call.
    match unsafe { libc::sigaction(signal, &raw const action, &raw mut before) } {
        0 => Ok(before),
        _ => Err(io::Error::last_os_error()),
    }
}

/// `CLOCK_MONOTONIC` in nanoseconds, through the vDSO where the kernel's clock
/// source allows that.
#[inline]
pub(crate) fn monotonic_ns() -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the call writes one timespec. It cannot fail for this clock.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let rest = u64::try_from(time.tv_nsec).unwrap_or(0);
    seconds * 1_000_000_000 + rest
}

/// The most memory that may be locked, in bytes; `None` is no limit.
pub(crate) fn memlock_limit() -> Option<u64> {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the call writes one rlimit.
    let result = unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &raw mut limit) };
    (result == 0 && limit.rlim_cur != libc::RLIM_INFINITY).then_some(limit.rlim_cur)
}

/// The calling thread's id.
pub(crate) fn thread_id() -> u32 {
    // SAFETY: gettid has no preconditions.
    let id = unsafe { libc::gettid() };
    id.unsigned_abs()
}
