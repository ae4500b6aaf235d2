//! The kernel's own piece of code in every process. All 64-bit processes of a
//! machine have the same, so ours serves.

use std::{fs::File, io::Write, os::unix::fs::FileExt};

use anyhow::{Context, Result};
use nix::sys::memfd::{MFdFlags, memfd_create};

use crate::collect::mappings::proc_maps;

/// What it is called in lists of mappings.
pub(super) const NAME: &str = "[vdso]";
/// It has a few pages.
const MOST_BYTES: u64 = 1 << 20;

/// A file with its contents.
///
/// # Errors
/// If this process has none, or it cannot be read.
pub(super) fn file() -> Result<File> {
    let mappings = proc_maps::read(std::process::id());
    let own = mappings.iter().find(|mapping| mapping.path == NAME);
    let own = own.context("this kernel gives processes no vDSO")?;
    let length = own.end.saturating_sub(own.start).min(MOST_BYTES);
    let mut bytes = vec![0; usize::try_from(length)?];
    File::open("/proc/self/mem")?.read_exact_at(&mut bytes, own.start)?;
    let mut file = File::from(memfd_create(c"vdso", MFdFlags::MFD_CLOEXEC)?);
    file.write_all(&bytes)?;
    Ok(file)
}
