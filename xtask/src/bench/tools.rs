//! The programs that take part, and what is made of their numbers.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result};
use aya::{Ebpf, EbpfLoader, programs::RawTracePoint};
use modeswitch_object::process;
use nix::{
    sched::{CpuSet, sched_getaffinity},
    unistd::Pid,
};

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

/// The program's name in the object.
const PROGRAM: &str = "floor";
/// The tracepoint that it does nothing on.
const TRACEPOINT: &str = "sys_exit";

/// The empty program, attached until this is dropped.
pub(super) struct Floor {
    _ebpf: Ebpf,
}

/// Attaches the empty program.
pub(super) fn attach_floor() -> Result<Floor> {
    let path = workspace::here().object();
    let mut ebpf = EbpfLoader::new()
        .load_file(&path)
        .with_context(|| format!("cannot load {}", path.display()))?;
    let program: &mut RawTracePoint = ebpf
        .program_mut(PROGRAM)
        .with_context(|| format!("{} has no program {PROGRAM}", path.display()))?
        .try_into()?;
    program.load()?;
    program.attach(TRACEPOINT)?;
    Ok(Floor { _ebpf: ebpf })
}

/// The middle value. Zero where there is none.
pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        n if n.is_multiple_of(2) => f64::midpoint(sorted[middle - 1], sorted[middle]),
        _ => sorted[middle],
    }
}

/// The smallest and the largest value.
pub(super) fn range(values: &[f64]) -> (f64, f64) {
    let fold = |f: fn(f64, f64) -> f64, start| values.iter().copied().fold(start, f);
    (
        fold(f64::min, f64::INFINITY),
        fold(f64::max, f64::NEG_INFINITY),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Odd and even numbers of values both have a middle.
    #[test]
    fn medians() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert_eq!(range(&[2.0, 1.0, 3.0]), (1.0, 3.0));
    }
}
