//! Other targets than a launched command.

use std::{
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt,
    path::Path,
    process::{Command, Stdio},
};

use crate::{
    needs_root,
    support::{command::measuring, profile::from_output, targets},
};

/// A running process is attached to, counted, and left alone, even one whose name is
/// not UTF-8.
#[test]
fn root_attach() {
    needs_root!("root_attach");
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join(OsStr::from_bytes(b"caf\xe9"));
    fs::copy(targets::counts(), &program).expect("a copy");
    let mut target = Command::new(&program)
        .args(["spin", "600000"])
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts");
    let pid = target.id().to_string();
    let output = measuring("attach")
        .args(["--format", "json", "--duration", "500ms", &pid])
        .output()
        .expect("the binary starts");
    let profile = from_output(&output);
    let still_runs = target.try_wait().expect("ours").is_none();
    target.kill().expect("it runs");
    target.wait().expect("ours");
    assert!(still_runs);
    assert!(profile.count("interrupt", "local_timer") > 0);
    assert_eq!(profile.0["ledger"]["by_thread"][0]["comm"], "caf\u{fffd}");
    assert_eq!(profile.0["target"]["pid"].to_string(), pid);
    assert_eq!(profile.0["exit"]["interrupted_by"], "duration");
}

/// With a CPU as the target, whatever runs there is counted, by thread.
#[test]
fn root_cpu() {
    needs_root!("root_cpu");
    let cpu = *modeswitch::measure::affinity::allowed()
        .last()
        .expect("some CPU");
    let mut target = Command::new("taskset")
        .arg("-c")
        .arg(cpu.to_string())
        .arg(targets::counts())
        .args(["spin", "600000"])
        .spawn()
        .expect("it starts");
    let output = measuring("cpu")
        .args(["--format", "json", "--duration", "500ms"])
        .arg(cpu.to_string())
        .output()
        .expect("the binary starts");
    target.kill().expect("it runs");
    target.wait().expect("ours");
    let profile = from_output(&output);
    let threads = profile.0["ledger"]["by_thread"].as_array().expect("a list");
    let found = threads.iter().find(|thread| thread["tid"] == target.id());
    let found = found.expect("the spinning thread is among those on the CPU");
    assert!(found["total"].as_u64() > Some(0));
    profile.assert_accounted();
}
