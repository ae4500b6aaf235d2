//! Our counts beside those of `perf stat` for the same program.

use std::{fs::File, os::fd::AsRawFd, process::Command};

use nix::sys::memfd::{MFdFlags, memfd_create};

use crate::{
    needs_root,
    support::{known::assert_known, profile::counts, skip::skip_for_tool, targets},
};

/// perf's own counts of the tracepoints we use, from its CSV output.
fn perf_counts(arguments: &[&str]) -> Result<(u64, u64), String> {
    // The program shall do just what it does under modeswitch: map a page.
    let page = phase_page();
    let output = Command::new("perf")
        .env("MODESWITCH_PHASE_FD", page.as_raw_fd().to_string())
        .args([
            "stat",
            "-x",
            ";",
            "-e",
            "raw_syscalls:sys_enter,exceptions:page_fault_user",
            "--",
        ])
        .arg(targets::counts())
        .args(arguments)
        .output()
        .map_err(|error| {
            format!("perf cannot be run: {error} (Debian: apt-get install linux-perf)")
        })?;
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let count = |event: &str| {
        text.lines()
            .find(|line| line.contains(event))
            .and_then(|line| line.split(';').next()?.parse().ok())
    };
    count("sys_enter")
        .zip(count("page_fault_user"))
        .ok_or_else(|| format!("perf does not count these tracepoints: {text}"))
}

/// A page that the program can mark its phases in, for nobody to see.
fn phase_page() -> File {
    let page = memfd_create(c"phases", MFdFlags::empty()).expect("a memory file");
    let page = File::from(page);
    page.set_len(4096).expect("room for a page");
    page
}

/// System calls agree to the unit, and page faults but for those that the two
/// launchers' different ways into the program make.
#[test]
fn root_agrees_with_perf() {
    needs_root!("root_agrees_with_perf");
    for arguments in [["getppid", "50000"], ["touch", "5000"], ["fork", "20"]] {
        let (calls, faults) = match perf_counts(&arguments) {
            Ok(found) => found,
            Err(reason) => return skip_for_tool("root_agrees_with_perf", &reason),
        };
        let profile = counts(&[], &arguments);
        profile.assert_accounted();
        // perf begins within the `execve` and so misses its way in, which is
        // what it counts. We count its way out.
        let name = format!("perf stat: {}", arguments[0]);
        assert_known(&profile, &name, calls + 1, profile.of_cause("syscall"));
        if arguments[0] == "fork" {
            // Whether a page is still shared when it is written to depends on
            // which of the two processes is quicker.
            continue;
        }
        let ours = profile.of_cause("page_fault");
        assert!(
            ours.abs_diff(faults) <= 24,
            "{arguments:?}: {ours} here, {faults} there"
        );
    }
}
