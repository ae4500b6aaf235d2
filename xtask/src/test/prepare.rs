//! What has to be in place before tests can run on a fresh machine.

use std::path::Path;

use anyhow::Result;
use modeswitch_object::{record, toolchain};

use crate::{
    install,
    workspace::{self, RootAccess},
};

/// Whether all is there that the tests compile with, measure and compare themselves
/// with. What is missing is installed where this process may do so without asking, or
/// named in one line: before anything is compiled.
pub(super) fn packages(access: RootAccess, no_install: bool) -> bool {
    let missing = install::missing(&install::FOR_TESTS);
    if missing.is_empty() {
        return true;
    }
    let may_install = access != RootAccess::None && !no_install;
    if may_install && install::find_program("apt-get").is_some() {
        match install::ensure("the suite", &install::FOR_TESTS) {
            Ok(()) => return true,
            Err(error) => eprintln!("{error:#}"),
        }
    }
    eprintln!(
        "some tests will be skipped: they need what is not installed: \
         `sudo apt-get install --no-install-recommends {}`",
        missing.join(" ")
    );
    false
}

/// The profiler embeds the eBPF object. Where that is out of date, its build
/// script makes it anew, and needs the toolchain.
pub(super) fn object() -> Result<()> {
    let stale = record::staleness(&workspace::here())?;
    if !stale.is_empty() && toolchain::find().is_err() {
        eprintln!("the eBPF object is out of date: {}", stale.join(", "));
        install::missing_toolchain()?;
    }
    Ok(())
}

/// Containers and small systems come without tracefs, where the kernel says
/// which tracepoints it has.
pub(super) fn tracing(access: RootAccess) -> Result<()> {
    let mounted = Path::new("/sys/kernel/tracing/events").exists();
    if mounted || access == RootAccess::None {
        return Ok(());
    }
    install::as_root(&["mount", "-t", "tracefs", "nodev", "/sys/kernel/tracing"])
}
