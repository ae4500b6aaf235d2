//! Helpers for unit tests that look at the whole process or the kernel.

use std::{
    io,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
    sync::{Mutex, MutexGuard, PoisonError},
};

use perf_event_open_sys::{
    bindings::{self, perf_event_attr},
    ioctls, perf_event_open,
};

/// Locking all memory reaches into other tests; those that care take turns.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A kernel counter for this thread, off to begin with.
pub(crate) struct Counter(OwnedFd);

impl Counter {
    /// Page faults in user mode.
    pub(crate) fn user_page_faults() -> io::Result<Self> {
        let event = bindings::PERF_COUNT_SW_PAGE_FAULTS;
        Self::open(bindings::PERF_TYPE_SOFTWARE, event.into(), true)
    }

    /// Hits of a tracepoint, by its number.
    pub(crate) fn tracepoint(id: u64) -> io::Result<Self> {
        Self::open(bindings::PERF_TYPE_TRACEPOINT, id, false)
    }

    fn open(kind: u32, config: u64, only_user: bool) -> io::Result<Self> {
        let mut attributes = perf_event_attr {
            type_: kind,
            size: u32::try_from(size_of::<perf_event_attr>()).map_err(io::Error::other)?,
            config,
            ..perf_event_attr::default()
        };
        attributes.set_disabled(1);
        attributes.set_exclude_kernel(only_user.into());
        // SAFETY: the attributes have the size they claim and outlive the call.
        let fd = unsafe { perf_event_open(&raw mut attributes, 0, -1, -1, 0) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call just before made this descriptor for us alone.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    pub(crate) fn start(&self) {
        // SAFETY: the request takes a number.
        let result = unsafe { ioctls::ENABLE(self.0.as_raw_fd(), 0) };
        assert_eq!(result, 0, "{}", io::Error::last_os_error());
    }

    pub(crate) fn stop(&self) {
        // SAFETY: the request takes a number.
        let result = unsafe { ioctls::DISABLE(self.0.as_raw_fd(), 0) };
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
