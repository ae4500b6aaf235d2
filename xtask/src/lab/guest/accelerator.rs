//! Emulated or native execution.
//!
//! A machine that has `/dev/kvm` may yet be one on which a guest hangs or
//! crawls, as nested ones are wont to. So it is believed only after a trial,
//! whose result is kept for this machine and this kernel.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::lab::cache::{self, Cache};
use crate::lab::kernels::Kernel;

/// How the guest's processors are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Accelerator {
    Kvm,
    Tcg,
}

impl Accelerator {
    pub(super) fn arguments(self) -> [&'static str; 4] {
        match self {
            Self::Kvm => ["-accel", "kvm", "-cpu", "max"],
            // One thread for all processors: with a thread each, one of them may run
            // code that another has patched meanwhile, which kernels do not survive.
            Self::Tcg => ["-accel", "tcg,thread=single", "-cpu", "max"],
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Kvm => "KVM",
            Self::Tcg => "emulation",
        }
    }

    /// The faster one that works. `trial` boots a guest and tells whether that
    /// went well.
    pub(super) fn choose(
        cache: &Cache,
        kernel: &Kernel,
        trial: impl FnOnce() -> Result<bool>,
    ) -> Result<Self> {
        if !is_usable(Path::new("/dev/kvm")) {
            return Ok(Self::Tcg);
        }
        // The cache may be on a disk that has been moved, or in a home folder
        // that several machines share.
        let machine = machine_id();
        let file = cache.accelerator(&kernel.release);
        let known = fs::read_to_string(&file).unwrap_or_default();
        let found = known
            .lines()
            .find_map(|line| line.strip_prefix(machine.as_str())?.strip_prefix(' '));
        match found {
            Some("kvm") => return Ok(Self::Kvm),
            Some(_) => return Ok(Self::Tcg),
            None => {}
        }
        eprintln!("lab: trying {} under KVM", kernel.release);
        let works = trial()?;
        if !works {
            eprintln!("lab: KVM does not work here; emulating");
        }
        let word = if works { "kvm" } else { "tcg" };
        cache::create(file.parent().unwrap_or(&file))?;
        fs::write(&file, format!("{known}{machine} {word}\n"))
            .with_context(|| format!("cannot write {}", file.display()))?;
        Ok(if works { Self::Kvm } else { Self::Tcg })
    }
}

fn is_usable(device: &Path) -> bool {
    fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(device)
        .is_ok()
}

/// Of the machine and its kernel: another host kernel may do better.
fn machine_id() -> String {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let id = format!(
        "{}/{}",
        read("/etc/machine-id").trim(),
        read("/proc/sys/kernel/osrelease").trim()
    );
    id.replace(' ', "_")
}
