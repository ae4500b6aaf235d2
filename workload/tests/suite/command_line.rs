//! What is refused, how, and what is explained.

use std::fs;

use crate::support::workload;

/// The exit code and what was said.
fn refused(options: &str) -> (Option<i32>, String) {
    let output = workload(options).output().unwrap();
    assert!(output.stdout.is_empty(), "{options}");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn mistakes_on_the_command_line_end_with_2_and_name_the_option() {
    for (options, hint) in [
        ("--depth 8 --batch 9", "--batch"),
        ("--depth 0", "--depth"),
        ("--cpu 8191", "--cpu 8191"),
        ("--mode interrupt --sq-cpu 0", "--sq-cpu"),
        ("--nop --mode iopoll", "--nop"),
        ("--nop --file /dev/null", "--file"),
        ("--nop --size 511", "less than one block"),
        ("--file /nonexistent/file", "no such file"),
        ("--file /dev/null", "neither a file nor a block device"),
        ("--duration 5x", "5s"),
        ("--block-size 513", "multiple"),
        ("--nop verify", "verify"),
    ] {
        let (code, text) = refused(options);
        if code == Some(3) {
            eprintln!("skipped: {options}: {text}");
            continue;
        }
        assert_eq!(code, Some(2), "{options}: {text}");
        assert!(text.contains(hint), "{options}: {text}");
    }
}

#[test]
fn a_file_smaller_than_a_block_is_named() {
    let file = tempfile::NamedTempFile::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    fs::write(file.path(), "short").unwrap();
    let (code, text) = refused(&format!("--file {}", file.path().display()));
    if code == Some(3) {
        eprintln!("skipped: {text}");
        return;
    }
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("holds 5 bytes"), "{text}");
}

#[test]
fn the_long_help_has_examples_and_the_subcommand() {
    let output = workload("--help").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for wanted in ["Examples:", "--bitmap prefault", "verify"] {
        assert!(text.contains(wanted), "{wanted}");
    }
}
