//! A drive without poll queues that is asked to poll.

use std::path::Path;

use crate::{
    needs_root,
    root_polled::{IOS, can_poll, findings, is_lab, workload},
    support::{command, profile::from_output, skip::skip_here},
};

/// Older kernels take IOPOLL and complete by interrupt in silence: that is found
/// and said. Newer ones refuse: that is passed on.
#[test]
fn root_silent_fallback() {
    needs_root!("root_silent_fallback");
    if !is_lab() || !Path::new("/dev/nvme0n1").exists() || can_poll("nvme0n1") {
        let reason = "needs a lab guest whose NVMe drive has no poll queues";
        return skip_here("root_silent_fallback", reason);
    }
    let output = workload("nvme0n1", "sqpoll-iopoll");
    let message = command::stderr(&output);
    let profile = from_output(&output);
    if profile.0["io"]["errors"] != 0 {
        println!("refused: {message}");
        assert!(message.contains("poll"), "{message}");
        return;
    }
    let findings = findings(&profile);
    println!("{findings:?}");
    let says = |text: &String| text.starts_with("completion does NOT poll");
    assert!(findings.iter().any(says), "{findings:?}");
    let advice = profile.0["advice"].to_string();
    assert!(advice.contains("poll_queues"), "{advice}");
    let interrupts = profile.0["io"]["polling"]["device_irqs"].as_u64();
    assert!(interrupts > Some(IOS / 100), "{interrupts:?}");
}
