//! The classic SQPOLL example.

use std::{path::Path, process::Stdio};

use crate::support::{finished, workload};

#[test]
fn no_claim_is_false_and_each_has_a_verdict() {
    let Some(output) = finished(&mut workload("verify --format json")) else {
        return;
    };
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(document["all_shown"], true, "{document:#}");
    let claims = document["claims"].as_array().unwrap();
    assert_eq!(claims.len(), 7);
    for claim in claims {
        let verdict = claim["verdict"].as_str().unwrap();
        if verdict == "cannot_be_shown_here" {
            eprintln!("not shown: {claim}");
        } else {
            assert_eq!(verdict, "yes", "{claim}");
        }
    }
}

#[test]
fn the_text_ends_every_claim_with_its_verdict_and_no_tracing_buffer_remains() {
    let mut command = workload("verify");
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let child = child.unwrap();
    let buffer = format!(
        "/sys/kernel/tracing/instances/modeswitch-verify-{}",
        child.id()
    );
    let output = child.wait_with_output().unwrap();
    assert!(!Path::new(&buffer).exists());
    if output.status.code() == Some(3) {
        eprintln!("skipped: {}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    for claim in text.lines().filter(|line| !line.starts_with(' ')) {
        let (_, verdict) = claim.rsplit_once(": ").unwrap();
        assert!(["yes", "cannot be shown here"].contains(&verdict), "{text}");
    }
}
