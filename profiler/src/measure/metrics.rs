//! What the measured program says of its own work.
//!
//! The command inherits a memory file whose number is in `MODESWITCH_METRICS_FD`
//! and may write a JSON summary of its I/O there.

use std::{
    ffi::CStr,
    fs::File,
    io::{Read, Seek, SeekFrom},
    os::fd::{AsFd, BorrowedFd},
};

use anyhow::{Context, Result};
use nix::sys::memfd::{MFdFlags, memfd_create};
use workload::summary::IoSummary;

/// The environment variable that holds the file's number.
pub const FD_VARIABLE: &str = "MODESWITCH_METRICS_FD";

/// A file in memory that a command writes to and we read when it has ended.
pub struct Mailbox {
    file: File,
}

impl Mailbox {
    /// Creates the file. The name is for people who look at open files.
    ///
    /// # Errors
    /// If the system has no memory files.
    pub fn create(name: &CStr) -> Result<Self> {
        let fd =
            memfd_create(name, MFdFlags::MFD_CLOEXEC).context("cannot create a memory file")?;
        Ok(Self {
            file: File::from(fd),
        })
    }

    /// All that was written, as text.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn text(mut self) -> Result<String> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        self.file.read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl AsFd for Mailbox {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// What a program wrote of its own I/O, if it wrote anything. What cannot be
/// understood is said, and left out.
#[must_use]
pub fn understand(text: &str) -> Option<IoSummary> {
    if text.trim().is_empty() {
        return None;
    }
    serde_json::from_str(text)
        .inspect_err(|error| log::warn!("the command's own metrics are left out: {error}"))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing is nothing, and nonsense is not taken for numbers.
    #[test]
    fn nonsense_is_left_out() {
        assert!(understand("").is_none());
        assert!(understand("{\"iops\": \"many\"}").is_none());
        let summary = serde_json::to_string(&IoSummary::default()).expect("plain data");
        assert_eq!(understand(&summary), Some(IoSummary::default()));
    }
}
