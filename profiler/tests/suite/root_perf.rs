//! Our counts beside those of `perf stat` for the same program.

use std::{
    fs::File,
    os::{fd::AsRawFd, unix::fs::FileExt},
    process::Command,
};

use nix::sys::memfd::{MFdFlags, memfd_create};
use profiler_common::phase;

use crate::{
    needs_root,
    support::{
        command::backend,
        evidence,
        known::{assert_known, assert_known_of},
        profile::{Json, from_output},
        skip::has_tool,
        targets,
    },
};

/// perf's own counts of the tracepoints we use, from its CSV output.
#[track_caller]
fn perf_counts(arguments: &[&str]) -> (u64, u64) {
    // The program shall do just what it does under modeswitch: map a page.
    let page = phase_page();
    let output = Command::new("setarch")
        .env("MODESWITCH_PHASE_FD", page.as_raw_fd().to_string())
        .args([
            "-R",
            "perf",
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
        .expect("setarch starts");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let count = |event: &str| {
        text.lines()
            .find(|line| line.contains(event))
            .and_then(|line| line.split(';').next()?.parse().ok())
    };
    evidence::note("perf.txt", text.as_str());
    let both = count("sys_enter").zip(count("page_fault_user"));
    assert!(both.is_some(), "perf does not count these: {text}");
    both.unwrap_or_default()
}

/// A page that the program can mark its phases in, for nobody to see.
fn phase_page() -> File {
    let page = memfd_create(c"phases", MFdFlags::empty()).expect("a memory file");
    let page = File::from(page);
    page.write_all_at(&phase::MAGIC, phase::MAGIC_OFFSET as u64)
        .expect("room for a page");
    page
}

/// Our counts of the same program, at the same addresses.
fn our_counts(arguments: &[&str]) -> Json {
    let mut command = Command::new("setarch");
    command.args(["-R", env!("CARGO_BIN_EXE_modeswitch"), "run"]);
    command.args(backend()).args(["--format", "json", "--"]);
    command.arg(targets::counts()).args(arguments);
    from_output(&command.output().expect("setarch starts"))
}

/// System calls agree to the unit, and page faults, too, if the program is where it
/// was, and what it maps is in memory.
#[test]
fn root_agrees_with_perf() {
    needs_root!("root_agrees_with_perf");
    if !has_tool("root_agrees_with_perf", "perf", "linux-perf") {
        return;
    }
    for arguments in [["getppid", "50000"], ["touch", "5000"], ["fork", "20"]] {
        perf_counts(&arguments);
        let (calls, faults) = perf_counts(&arguments);
        let profile = our_counts(&arguments);
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
        let name = format!("perf stat: {}, page faults", arguments[0]);
        let ours = profile.of_cause("page_fault");
        assert_known_of("page_fault", &profile, &name, faults, ours);
    }
}
