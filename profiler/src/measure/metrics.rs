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
use nix::{
    fcntl::{FallocateFlags, fallocate},
    sys::memfd::{MFdFlags, memfd_create},
};
use workload::summary::IoSummary;

/// The environment variable that holds the file's number.
pub const FD_VARIABLE: &str = "MODESWITCH_METRICS_FD";

/// Bytes that are kept of the beginning of what a program writes, and of its end.
const KEPT: u64 = 64 << 10;
/// Pages are what can be given back.
const PAGE: u64 = 4096;

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

    /// Gives back the memory of what is not kept, while the program goes on writing:
    /// it neither waits for us nor has an error.
    pub fn trim(&self) {
        let length = self.file.metadata().map_or(0, |status| status.len());
        let end = length.saturating_sub(KEPT) / PAGE * PAGE;
        let Some(dropped) = end.checked_sub(KEPT).filter(|&bytes| bytes != 0) else {
            return;
        };
        let hole = FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE;
        let bytes = (KEPT.cast_signed(), dropped.cast_signed());
        if let Err(error) = fallocate(&self.file, hole, bytes.0, bytes.1) {
            log::debug!("cannot give back memory of a program's errors: {error}");
        }
    }

    /// What was written, as text: its beginning and its end, if it is long.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn text(mut self) -> Result<String> {
        let length = self.file.seek(SeekFrom::End(0))?;
        let mut part = |start: u64, bytes: u64| -> Result<String> {
            let mut read = Vec::new();
            self.file.seek(SeekFrom::Start(start))?;
            (&self.file).take(bytes).read_to_end(&mut read)?;
            Ok(String::from_utf8_lossy(&read).into_owned())
        };
        let Some(dropped) = length.checked_sub(2 * KEPT).filter(|&bytes| bytes != 0) else {
            return part(0, length);
        };
        let (first, last) = (part(0, KEPT)?, part(length - KEPT, KEPT)?);
        Ok(format!("{first}\n[{dropped} bytes were not kept]\n{last}"))
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

    /// However much a program writes, its first and last words are kept, and the
    /// memory of the rest is given back.
    #[test]
    fn long_texts_are_cut_in_the_middle() {
        use std::{io::Write, os::unix::fs::MetadataExt};
        let mut mailbox = Mailbox::create(c"test").expect("memory");
        mailbox.file.write_all(b"first").expect("room");
        for _ in 0..100 {
            mailbox
                .file
                .write_all(&"x".repeat(100_000).into_bytes())
                .expect("room");
            mailbox.trim();
        }
        mailbox.file.write_all(b"last").expect("room");
        let held = mailbox.file.metadata().expect("ours").blocks() * 512;
        assert!(held <= 2 * KEPT + 2 * PAGE + 100_000, "{held}");
        let text = mailbox.text().expect("readable");
        assert!(text.starts_with("firstxxx") && text.ends_with("xxxlast"));
        let dropped = 10_000_009 - 2 * KEPT;
        assert!(text.contains(&format!("x\n[{dropped} bytes were not kept]\nx")));
        assert!(!text.contains('\0'));
    }
}
