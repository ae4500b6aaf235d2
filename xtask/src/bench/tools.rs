//! The programs that take part.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use modeswitch_object::process;
use nix::sched::{CpuSet, sched_getaffinity};
use nix::unistd::Pid;

use crate::workspace;

/// The highest CPU that this process may use.
pub(super) fn last_cpu() -> usize {
    let allowed = sched_getaffinity(Pid::from_raw(0)).unwrap_or_default();
    (0..CpuSet::count())
        .rev()
        .find(|&cpu| allowed.is_set(cpu).unwrap_or(false))
        .unwrap_or(0)
}

/// The optimised binary, built if need be.
pub(super) fn modeswitch() -> Result<PathBuf> {
    let mut build = workspace::cargo();
    build.args(["build", "--quiet", "--release", "--package", "modeswitch"]);
    process::run(&mut build)?;
    Ok(workspace::target_dir().join("release/modeswitch"))
}

/// Whether a program is there, by asking for its version.
pub(super) fn is_there(program: &str) -> bool {
    let mut command = Command::new(program);
    command
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// This program, to run the loop in a process of its own.
pub(super) fn own() -> Result<PathBuf> {
    std::env::current_exe().context("cannot find this program's own file")
}
