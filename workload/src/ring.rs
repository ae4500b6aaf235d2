//! The ring: set up with what this kernel has, file and buffer registered.

use std::{
    fs::{self, File},
    io,
    os::fd::{AsRawFd, RawFd},
};

use io_uring::IoUring;

use crate::{
    error::WorkloadError,
    plan::RingMode,
    ring_flags::{Flag, descend, names},
    sys::{memory::Mapping, process::memlock_limit},
};

/// Milliseconds until an idle submission thread sleeps: longer than any pause
/// of ours. Zero would mean the kernel's default of one second.
pub(crate) const SQ_IDLE_MS: u32 = 2000;

/// What to ask of the kernel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RingPlan {
    pub(crate) mode: RingMode,
    /// Entries in flight at most.
    pub(crate) depth: u32,
    /// CPU for the submission thread.
    pub(crate) sq_cpu: Option<u32>,
    /// Milliseconds until it sleeps.
    pub(crate) sq_idle_ms: u32,
}

/// A ring, and the flags with which it came.
pub(crate) struct Ring {
    pub(crate) io: IoUring,
    pub(crate) flags: Vec<Flag>,
    pub(crate) notes: Vec<String>,
}

impl Ring {
    /// Sets up a ring with as many of the wanted flags as this kernel takes.
    pub(crate) fn build(plan: &RingPlan) -> Result<Self, WorkloadError> {
        let wanted = wanted_flags(plan);
        let (io, left_out) = descend(&wanted, |flags| build_with(plan, flags))
            .map_err(|(error, flags)| refused(error, &flags))?;
        let flags: Vec<Flag> = wanted
            .into_iter()
            .filter(|flag| !left_out.contains(flag))
            .collect();
        let notes = left_out.iter().map(|flag| note(*flag, plan)).collect();
        Ok(Self { io, flags, notes })
    }

    /// Registers the file, to be known as index 0.
    pub(crate) fn register_file(&self, file: &File) -> Result<(), WorkloadError> {
        self.io
            .submitter()
            .register_files(&[file.as_raw_fd()])
            .map_err(|source| WorkloadError::Registration {
                what: "file",
                source,
            })
    }

    /// Registers one buffer that covers all I/O memory, as index 0.
    ///
    /// # Safety
    ///
    /// The memory must stay mapped until the ring is gone, and must be accessed
    /// through raw pointers only, since the kernel writes to it at any time.
    pub(crate) unsafe fn register_buffer(&self, memory: &Mapping) -> Result<(), WorkloadError> {
        let buffer = libc::iovec {
            iov_base: memory.as_mut_ptr().cast(),
            iov_len: memory.bytes(),
        };
        // SAFETY: the caller keeps the memory mapped as long as the ring.
        let registered = unsafe { self.io.submitter().register_buffers(&[buffer]) };
        registered.map_err(|source| match source.raw_os_error() {
            Some(libc::ENOMEM | libc::EPERM) => locked_memory("the registered buffer"),
            _ => WorkloadError::Registration {
                what: "buffer",
                source,
            },
        })
    }

    /// The descriptor's number.
    pub(crate) fn fd(&self) -> RawFd {
        self.io.as_raw_fd()
    }
}

fn wanted_flags(plan: &RingPlan) -> Vec<Flag> {
    let chosen = [
        (plan.mode.sqpoll, Flag::Sqpoll),
        (plan.mode.iopoll, Flag::Iopoll),
        (plan.mode.sqpoll && plan.sq_cpu.is_some(), Flag::SqAff),
        (true, Flag::SingleIssuer),
        (true, Flag::NoSqarray),
        (true, Flag::Cqsize),
    ];
    chosen
        .into_iter()
        .filter_map(|(wanted, flag)| wanted.then_some(flag))
        .collect()
}

fn build_with(plan: &RingPlan, flags: &[Flag]) -> io::Result<IoUring> {
    let entries = plan.depth.next_power_of_two();
    let mut builder = IoUring::builder();
    for flag in flags {
        match flag {
            Flag::Sqpoll => builder.setup_sqpoll(plan.sq_idle_ms),
            Flag::Iopoll => builder.setup_iopoll(),
            Flag::SqAff => builder.setup_sqpoll_cpu(plan.sq_cpu.unwrap_or_default()),
            Flag::SingleIssuer => builder.setup_single_issuer(),
            Flag::NoSqarray => builder.setup_no_sqarray(),
            // No larger than what can be in flight: fewer cache lines to share.
            Flag::Cqsize => builder.setup_cqsize(entries),
        };
    }
    builder.build(entries)
}

fn note(flag: Flag, plan: &RingPlan) -> String {
    match (flag, plan.sq_cpu) {
        (Flag::SqAff, Some(cpu)) => format!(
            "SQ_AFF is off: the kernel refused to bind the submission thread to CPU {cpu}, so it \
             runs anywhere"
        ),
        _ => format!("{} is off: this kernel does not know it", flag.name()),
    }
}

fn refused(source: io::Error, flags: &[Flag]) -> WorkloadError {
    match source.raw_os_error() {
        Some(libc::ENOSYS) => WorkloadError::IoUringMissing,
        Some(libc::EPERM | libc::EACCES) => match switched_off() {
            Some(value) => WorkloadError::IoUringDisabled(value),
            None => WorkloadError::IoUringForbidden,
        },
        Some(libc::ENOMEM) => locked_memory("the ring"),
        _ => WorkloadError::RingRefused {
            flags: names(flags),
            source,
        },
    }
}

/// The value of `kernel.io_uring_disabled`, if it is not 0 (6.6 and later).
fn switched_off() -> Option<u8> {
    let text = fs::read_to_string("/proc/sys/kernel/io_uring_disabled").ok()?;
    text.trim().parse().ok().filter(|&value| value != 0)
}

fn locked_memory(what: &'static str) -> WorkloadError {
    let limit = memlock_limit().map_or_else(
        || "(none, so memory itself is short)".to_owned(),
        |bytes| format!("{} KiB", bytes / 1024),
    );
    WorkloadError::LockedMemory { what, limit }
}
