//! The programs of this machine that the lab needs.

use std::env;
use std::path::PathBuf;

use anyhow::{Result, bail, ensure};

use crate::install;
use crate::workspace::{self, RootAccess};

/// Program and Debian package.
const NEEDED: [(&str, &str); 6] = [
    (QEMU, "qemu-system-x86"),
    ("busybox", "busybox-static"),
    ("xz", "xz-utils"),
    ("tar", "tar"),
    ("mke2fs", "e2fsprogs"),
    ("setpriv", "util-linux"),
];

pub(super) const QEMU: &str = "qemu-system-x86_64";

/// Installs what is missing if this process may, or names the command.
pub(super) fn ensure_installed() -> Result<()> {
    let missing = missing();
    if missing.is_empty() {
        return Ok(());
    }
    if workspace::root_access() == RootAccess::None {
        bail!(
            "the lab needs programs that are not installed: \
             `sudo apt-get install --no-install-recommends {}`",
            missing.join(" ")
        );
    }
    install::packages(missing.iter().copied())?;
    let missing = self::missing();
    ensure!(
        missing.is_empty(),
        "installing did not help: still missing {}",
        missing.join(" ")
    );
    Ok(())
}

fn missing() -> Vec<&'static str> {
    let absent = NEEDED.iter().filter(|(program, _)| find(program).is_none());
    absent.map(|(_, package)| *package).collect()
}

/// A program's file, by the search path.
pub(super) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    // The latter holds what makes file systems, and is not on every path.
    let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders
        .map(|folder: PathBuf| folder.join(program))
        .find(|file| file.is_file())
}
