//! Devices that can be polled: the whole chain, and the fallback from it.

use std::{fs, process::Output};

use crate::{
    needs_root,
    support::{
        command,
        known::{assert_known, assert_within, cannot_be_known},
        profile::{Json, from_output},
        skip::skip_here,
    },
};

pub(crate) const IOS: u64 = 20_000;

/// The workload on a device under `run --io-uring`.
pub(crate) fn workload(device: &str, mode: &str) -> Output {
    let own = env!("CARGO_BIN_EXE_modeswitch");
    let file = format!("/dev/{device}");
    let mut command = command::measuring("run");
    command.args(["--io-uring", "--format", "json", "--no-propagate-exit"]);
    command.args(["--", own, "workload"]);
    command.args(["--file", &file, "--mode", mode, "--size", "1G"]);
    command.args(["--bitmap", "prefault", "--ios", &IOS.to_string()]);
    command.output().expect("the binary starts")
}

pub(crate) fn can_poll(device: &str) -> bool {
    let file = format!("/sys/block/{device}/queue/io_poll");
    fs::read_to_string(file).is_ok_and(|text| text.trim() == "1")
}

pub(crate) fn findings(profile: &Json) -> Vec<String> {
    let list = profile.0["polling"]["findings"].as_array().expect("a list");
    let texts = list.iter().map(|text| text.as_str().expect("a sentence"));
    texts.map(str::to_owned).collect()
}

#[track_caller]
fn assert_polled(test: &str, device: &str) {
    let name = |of: &str| format!("polled {device}: {of}");
    if !can_poll(device) {
        let reason = format!("/dev/{device} is not there or has no poll queues");
        for of in ["submissions by the thread", "io_uring_enter", "interrupts"] {
            cannot_be_known(&name(of), "no poll queues");
        }
        return skip_here(test, &reason);
    }
    let profile = from_output(&workload(device, "sqpoll-iopoll"));
    profile.assert_accounted();
    let io = &profile.0["io"];
    let polling = &profile.0["polling"];
    assert_eq!(io["ios"], IOS);
    assert_eq!(io["errors"], 0);
    assert_eq!(io["mode"], "sqpoll-iopoll");
    match polling["sqes_by_sq_thread"].as_u64() {
        Some(by_thread) => {
            assert_known(&profile, &name("submissions by the thread"), IOS, by_thread);
        }
        None => cannot_be_known(
            &name("submissions by the thread"),
            "the thread is nobody's before 5.12",
        ),
    }
    assert_eq!(polling["sqes_by_enter"], 0, "{polling}");
    // A thread that slept has to be woken, with one call each time.
    let enters = polling["enter_calls"].as_u64().expect("a count");
    assert_eq!(io["polling"]["wakeups"].as_u64(), Some(enters), "{polling}");
    let calls = profile.of_cause_in("syscall", "steady");
    assert_known(&profile, &name("io_uring_enter"), enters, calls);
    let interrupts = &io["polling"]["device_irqs"];
    let has_line = device.starts_with("nvme");
    assert_eq!(interrupts.is_u64(), has_line, "{interrupts}");
    let Some(interrupts) = interrupts.as_u64() else {
        return cannot_be_known(&name("interrupts"), "only memory backs it: it has no line");
    };
    assert_within(&name("interrupts"), 0, IOS / 100, interrupts);
    let findings = findings(&profile);
    let polls = |text: &String| text.starts_with("completion polls");
    assert!(findings.iter().any(polls), "{findings:?}");
}

/// A drive with poll queues: no system call, no interrupt.
#[test]
fn root_polled_nvme() {
    needs_root!("root_polled_nvme");
    assert_polled("root_polled_nvme", "nvme0n1");
}

/// The null block driver has poll queues from Linux 5.16 on.
#[test]
fn root_polled_null_blk() {
    needs_root!("root_polled_null_blk");
    assert_polled("root_polled_null_blk", "nullb0");
}

/// Whether this is a guest that may be treated roughly.
pub(crate) fn is_lab() -> bool {
    std::env::var_os("MODESWITCH_LAB_RESULTS").is_some()
}
