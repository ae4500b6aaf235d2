//! Helpers for unit tests that look at the whole process or the kernel.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locking all memory reaches into other tests; those that care take turns.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A kernel counter for this thread, off to begin with.
pub(crate) struct Counter(OwnedFd);

/// `struct perf_event_attr` as it was at first, which every kernel takes.
#[repr(C)]
#[derive(Default)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    sampling: [u64; 3],
    flags: u64,
    rest: [u64; 2],
}

const DISABLED: u64 = 1;
const EXCLUDE_KERNEL: u64 = 1 << 5;
const ENABLE: libc::Ioctl = 0x2400;
const DISABLE: libc::Ioctl = 0x2401;

impl Counter {
    /// Page faults in user mode.
    pub(crate) fn user_page_faults() -> io::Result<Self> {
        Self::open(1, 2, DISABLED | EXCLUDE_KERNEL)
    }

    /// Hits of a tracepoint, by its number.
    pub(crate) fn tracepoint(id: u64) -> io::Result<Self> {
        Self::open(2, id, DISABLED)
    }

    fn open(kind: u32, config: u64, flags: u64) -> io::Result<Self> {
        let attributes = Attributes {
            kind,
            size: 64,
            config,
            flags,
            ..Attributes::default()
        };
        // SAFETY: the attributes have the size they claim and outlive the call.
        let fd = unsafe {
            libc::syscall(
                libc::SYS_perf_event_open,
                &raw const attributes,
                0,
                -1,
                -1,
                0_u64,
            )
        };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        let fd = libc::c_int::try_from(fd).map_err(io::Error::other)?;
        // SAFETY: the call just before made this descriptor for us alone.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    pub(crate) fn start(&self) {
        self.control(ENABLE);
    }

    pub(crate) fn stop(&self) {
        self.control(DISABLE);
    }

    fn control(&self, request: libc::Ioctl) {
        // SAFETY: both requests take no argument.
        let result = unsafe { libc::ioctl(self.0.as_raw_fd(), request, 0) };
        assert_eq!(result, 0, "{}", io::Error::last_os_error());
    }

    pub(crate) fn value(&self) -> u64 {
        let mut bytes = [0_u8; 8];
        // SAFETY: the kernel writes 8 bytes to a buffer of 8.
        let read = unsafe { libc::read(self.0.as_raw_fd(), bytes.as_mut_ptr().cast(), 8) };
        assert_eq!(read, 8, "{}", io::Error::last_os_error());
        u64::from_ne_bytes(bytes)
    }
}
