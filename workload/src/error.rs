//! What can go wrong, why, and what to do about it.

use std::{io, path::PathBuf};

/// Why the workload did not run to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WorkloadError {
    /// The options contradict each other or the machine's limits.
    #[error("{0}")]
    Usage(String),

    /// The file to read is not there.
    #[error("{path}: no such file; give an existing file or block device with --file, or leave --file out to read a temporary one", path = .0.display())]
    FileNotFound(PathBuf),

    /// The file to read cannot be opened.
    #[error("{path}: cannot be opened for reading: {source}", path = .path.display())]
    FileOpen {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },

    /// The filesystem has no direct I/O.
    #[error("{path}: its filesystem does not take O_DIRECT, without which reads would be copied from the page cache; choose a file on ext4, xfs or btrfs, or a block device", path = .0.display())]
    NotDirect(PathBuf),

    /// No directory for the temporary file.
    #[error(
        "no directory takes a sparse file of {size} bytes with O_DIRECT (tried {tried}); set TMPDIR to one on ext4, xfs or btrfs, choose a smaller --size, or run without a device: --nop"
    )]
    NoDirectory {
        /// Bytes wanted.
        size: u64,
        /// Directories, each with what it answered.
        tried: String,
    },

    /// `io_uring` is switched off.
    #[error(
        "io_uring is switched off on this machine (kernel.io_uring_disabled = {0}); as root: sysctl kernel.io_uring_disabled=0"
    )]
    IoUringDisabled(u8),

    /// `io_uring` is not there, or a filter hides it.
    #[error(
        "this kernel has no io_uring, or a seccomp filter hides it (containers often do); use Linux 5.10 or later, outside the container or with a profile that allows io_uring"
    )]
    IoUringMissing,

    /// `io_uring` is there but not for us.
    #[error(
        "the kernel refuses this ring to this user: before 5.13 SQPOLL takes CAP_SYS_NICE (before 5.11 CAP_SYS_ADMIN), and a security module or container may refuse io_uring altogether; run as root, or without SQPOLL: --mode interrupt"
    )]
    IoUringForbidden,

    /// The kernel refuses the ring for another reason.
    #[error("the kernel refuses a ring with {flags}: {source}")]
    RingRefused {
        /// The flags of the last try.
        flags: String,
        /// What the kernel said.
        source: io::Error,
    },

    /// The limit for locked memory is too low.
    #[error(
        "{what} needs locked memory beyond this user's limit of {limit}; raise it (ulimit -l unlimited), or run as root"
    )]
    LockedMemory {
        /// What needed it.
        what: &'static str,
        /// The limit.
        limit: String,
    },

    /// The kernel refuses to register the file or the buffers.
    #[error("the kernel refuses to register the {what}: {source}")]
    Registration {
        /// What was to be registered.
        what: &'static str,
        /// What the kernel said.
        source: io::Error,
    },

    /// Polling was demanded and is not to be had.
    #[error(
        "{target} cannot be polled: {reason}; give the driver poll queues (nvme.poll_queues=N, null_blk poll_queues=N), or leave the choice to --mode auto"
    )]
    NotPollable {
        /// What was to be read.
        target: String,
        /// Why not.
        reason: String,
    },

    /// Already the first reads fail.
    #[error("the first reads of {target} failed: {source}")]
    FirstRead {
        /// What was to be read.
        target: String,
        /// What the kernel said.
        source: io::Error,
    },

    /// A system call failed that should not.
    #[error("{what}: {source}")]
    System {
        /// What we wanted.
        what: &'static str,
        /// What the kernel said.
        source: io::Error,
    },

    /// The result could not be written.
    #[error("the summary could not be written: {0}")]
    Output(#[source] io::Error),

    /// A mistake of ours.
    #[error("internal error: {0}")]
    Internal(String),
}

impl WorkloadError {
    /// Is the command line at fault? (Exit code 2.)
    #[must_use]
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Usage(_) | Self::FileNotFound(_))
    }

    /// The exit code that tells the kind of error: 2 usage, 3 this environment
    /// cannot do it, 6 output could not be written, 70 internal.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::FileNotFound(_) => 2,
            Self::FileOpen { .. }
            | Self::NotDirect(_)
            | Self::NoDirectory { .. }
            | Self::IoUringDisabled(_)
            | Self::IoUringMissing
            | Self::IoUringForbidden
            | Self::RingRefused { .. }
            | Self::LockedMemory { .. }
            | Self::Registration { .. }
            | Self::NotPollable { .. }
            | Self::FirstRead { .. }
            | Self::System { .. } => 3,
            Self::Output(_) => 6,
            Self::Internal(_) => 70,
        }
    }

    /// For `map_err`: a system call failed that should not.
    pub(crate) fn system(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { what, source }
    }
}
