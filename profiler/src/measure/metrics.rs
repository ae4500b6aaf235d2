//! What the measured program says of its own work.
//!
//! The command inherits a memory file whose number is in `MODESWITCH_METRICS_FD`
//! and may write a JSON summary of its I/O there.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    os::fd::AsRawFd,
};

use anyhow::{Context, Result};
use nix::sys::memfd::{MFdFlags, memfd_create};
use workload::summary::IoSummary;

/// The environment variable that holds the file's number.
pub const FD_VARIABLE: &str = "MODESWITCH_METRICS_FD";

/// The file that a program's own metrics go to.
pub struct Metrics {
    file: File,
}

impl Metrics {
    /// Creates the file.
    ///
    /// # Errors
    /// If the system has no memory files.
    pub fn create() -> Result<Self> {
        let fd = memfd_create(c"modeswitch-metrics", MFdFlags::MFD_CLOEXEC)
            .context("cannot create a memory file")?;
        Ok(Self {
            file: File::from(fd),
        })
    }

    /// The file's number, for the command to inherit.
    #[must_use]
    pub fn fd(&self) -> i32 {
        self.file.as_raw_fd()
    }

    /// What the program wrote, if it wrote anything. What cannot be understood
    /// is said, and left out.
    #[must_use]
    pub fn read(mut self) -> Option<IoSummary> {
        let mut text = String::new();
        let read = self
            .file
            .seek(SeekFrom::Start(0))
            .and_then(|_| self.file.read_to_string(&mut text));
        if let Err(error) = read {
            log::warn!("cannot read the command's own metrics: {error}");
            return None;
        }
        if text.trim().is_empty() {
            return None;
        }
        serde_json::from_str(&text)
            .inspect_err(|error| {
                log::warn!("the command's own metrics are left out: {error}");
            })
            .ok()
    }
}
