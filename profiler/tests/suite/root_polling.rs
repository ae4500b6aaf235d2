//! Was polling really polling? The kernel's word beside the workload's own.

use crate::{
    needs_root,
    support::{
        command::run,
        profile::{Json, from_output},
        skip::skip_here,
    },
};

/// The in-tree workload under `run --io-uring`, or none where there is no ring.
fn workload(test: &str, mode: &str) -> Option<Json> {
    let own = env!("CARGO_BIN_EXE_modeswitch");
    let output = run([
        "run",
        "--format",
        "json",
        "--io-uring",
        "--no-propagate-exit",
        "--",
        own,
        "workload",
        "--mode",
        mode,
        "--size",
        "1G",
        "--ios",
        "50k",
    ]);
    if output.stdout.is_empty() {
        skip_here(
            test,
            &format!("no profile: {}", String::from_utf8_lossy(&output.stderr)),
        );
        return None;
    }
    let profile = from_output(&output);
    if profile.0["io"].is_null() {
        skip_here(test, "this kernel or this user has no io_uring");
        return None;
    }
    Some(profile)
}

/// With SQPOLL, every I/O is submitted by the kernel's thread and none by a
/// system call, and the tracepoint agrees with the workload to the unit.
#[test]
fn root_polling_by_thread() {
    needs_root!("root_polling_by_thread");
    let Some(profile) = workload("root_polling_by_thread", "sqpoll") else {
        return;
    };
    let polling = &profile.0["polling"];
    assert_eq!(polling["phase"], "steady");
    assert_eq!(polling["sqes_by_enter"], 0);
    if !polling["sqes_by_sq_thread"].is_null() {
        assert_eq!(polling["sqes_by_sq_thread"], profile.0["io"]["ios"]);
    }
    assert_eq!(
        polling["enter_calls"],
        profile.0["io"]["polling"]["enter_calls"]
    );
}

/// Without it, every I/O is submitted in a system call.
#[test]
fn root_polling_by_call() {
    needs_root!("root_polling_by_call");
    let Some(profile) = workload("root_polling_by_call", "interrupt") else {
        return;
    };
    let polling = &profile.0["polling"];
    assert_eq!(polling["sqes_by_enter"], profile.0["io"]["ios"]);
    assert_eq!(
        polling["enter_calls"],
        profile.0["io"]["polling"]["enter_calls"]
    );
    assert!(polling["enter_calls"].as_u64() > Some(0));
}
