//! What has to be in place before tests can run on a fresh machine.

use std::path::Path;

use anyhow::Result;

use crate::ebpf_object::{record, toolchain};
use crate::install;
use crate::workspace::{self, RootAccess};

/// The profiler embeds the eBPF object. Where that is out of date, its build
/// script makes it anew, and needs the toolchain.
pub(super) fn object() -> Result<()> {
    let stale = record::staleness(&workspace::layout())?;
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
