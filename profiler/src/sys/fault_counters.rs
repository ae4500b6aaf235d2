//! The kernel's own counters of page faults: perf events that count, run no
//! program and lose nothing.

use std::{
    fs::File,
    io::{self, Read},
    os::fd::FromRawFd,
};

use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

/// What the kernel has counted of a command and all that it created: faults from
/// user mode only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultCounts {
    /// All page faults, also those that were violations.
    pub all: u64,
    /// Those that had to be waited for.
    pub major: u64,
}

/// Two counters of a command that has yet to be executed.
pub struct FaultCounters {
    all: File,
    major: File,
}

/// `PERF_TYPE_SOFTWARE`
const SOFTWARE: u32 = 1;
/// `PERF_COUNT_SW_PAGE_FAULTS`
const PAGE_FAULTS: u64 = 2;
/// `PERF_COUNT_SW_PAGE_FAULTS_MAJ`
const MAJOR_FAULTS: u64 = 6;

/// `PERF_FLAG_FD_CLOEXEC`
const CLOSE_ON_EXEC: libc::c_ulong = 1 << 3;

/// Bits of `perf_event_attr`, from `include/uapi/linux/perf_event.h`.
mod flag {
    pub(super) const DISABLED: u64 = 1 << 0;
    pub(super) const INHERIT: u64 = 1 << 1;
    pub(super) const EXCLUDE_KERNEL: u64 = 1 << 5;
    pub(super) const EXCLUDE_HYPERVISOR: u64 = 1 << 6;
    pub(super) const ENABLE_ON_EXEC: u64 = 1 << 12;
}

/// The first version of `struct perf_event_attr`, which every kernel takes.
#[repr(C)]
#[derive(Default)]
struct Attributes {
    kind: u32,
    size: u32,
    config: u64,
    sample_period: u64,
    sample_type: u64,
    read_format: u64,
    flags: u64,
    wakeup_events: u32,
    breakpoint_type: u32,
    breakpoint_address: u64,
}

const ATTRIBUTE_BYTES: u32 = 64;
const _: () = assert!(size_of::<Attributes>() == ATTRIBUTE_BYTES as usize);

impl FaultCounters {
    /// Sets them up for a process. They begin when it next executes a program.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn open(pid: Pid) -> io::Result<Self> {
        Ok(Self {
            all: open(pid, PAGE_FAULTS)?,
            major: open(pid, MAJOR_FAULTS)?,
        })
    }

    /// What they have counted.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn read(&mut self) -> io::Result<FaultCounts> {
        Ok(FaultCounts {
            all: read(&mut self.all)?,
            major: read(&mut self.major)?,
        })
    }
}

fn open(pid: Pid, config: u64) -> io::Result<File> {
    let attributes = Attributes {
        kind: SOFTWARE,
        size: ATTRIBUTE_BYTES,
        config,
        flags: flag::DISABLED
            | flag::INHERIT
            | flag::EXCLUDE_KERNEL
            | flag::EXCLUDE_HYPERVISOR
            | flag::ENABLE_ON_EXEC,
        ..Attributes::default()
    };
    // SAFETY: the pointer is to a live structure of the size that it says.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_perf_event_open,
            &raw const attributes,
            pid.as_raw(),
            -1,
            -1,
            CLOSE_ON_EXEC,
        )
    };
    let fd = i32::try_from(fd).map_err(io::Error::other)?;
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the file was just opened and nobody else knows of it.
    Ok(unsafe { File::from_raw_fd(fd) })
}

fn read(counter: &mut File) -> io::Result<u64> {
    let mut bytes = [0; 8];
    counter.read_exact(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}
