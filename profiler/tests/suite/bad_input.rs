//! What a user gets wrong is answered with one sentence and its own status.

use std::os::unix::{fs::PermissionsExt, process::CommandExt};

use crate::support::command::{assert_fails, modeswitch, run, stderr};

const USAGE: i32 = 2;
const ENVIRONMENT: i32 = 3;
const TARGET_NOT_STARTED: i32 = 5;
const OUTPUT: i32 = 6;

/// A command that does not exist is named, before anything is loaded.
#[test]
fn no_such_command() {
    let output = run(["run", "--", "no-such-command-anywhere"]);
    assert_fails(
        &output,
        TARGET_NOT_STARTED,
        &["no-such-command-anywhere", "PATH"],
    );
    let output = run(["run", "--", "/no/such/program"]);
    assert_fails(&output, TARGET_NOT_STARTED, &["/no/such/program"]);
}

/// A folder and a file without execute bits are no commands.
#[test]
fn not_a_program() {
    assert_fails(&run(["run", "--", "/tmp"]), TARGET_NOT_STARTED, &["folder"]);
    let output = run(["run", "--", "/etc/passwd"]);
    assert_fails(&output, TARGET_NOT_STARTED, &["not executable", "chmod"]);
}

/// No command, and unknown options.
#[test]
fn no_command_at_all() {
    assert_fails(&run(["run"]), USAGE, &["COMMAND"]);
    assert_fails(
        &run(["run", "--nonsense", "--", "true"]),
        USAGE,
        &["--nonsense"],
    );
}

/// CPUs that do not exist are named with those that do.
#[test]
fn impossible_cpu() {
    let output = run(["run", "--cpu", "4000", "--", "true"]);
    assert_fails(&output, USAGE, &["CPU 4000", "may use"]);
    assert_fails(
        &run(["run", "--cpu", "3-1", "--", "true"]),
        USAGE,
        &["backwards"],
    );
}

/// A user that does not exist, and a caller of sudo where there is none.
#[test]
fn unknown_user() {
    let output = run(["run", "--user=no-such-user", "--", "true"]);
    assert_fails(&output, USAGE, &["no-such-user"]);
    assert_fails(
        &run(["run", "--user", "--", "true"]),
        USAGE,
        &["SUDO_USER", "--user="],
    );
}

/// Files that hold no profile are told apart by what is wrong with them.
#[test]
fn not_a_profile() {
    let folder = tempfile::tempdir().expect("a folder");
    let cases = [
        ("text", "not json", "not JSON"),
        ("object", "{}", "schema_version"),
        ("future", r#"{"schema_version": 99}"#, "schema 99"),
        ("damaged", r#"{"schema_version": 1}"#, "damaged"),
    ];
    for (name, text, word) in cases {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        let output = run(["report".as_ref(), path.as_os_str()]);
        assert_fails(&output, USAGE, &[word, name]);
    }
    let missing = folder.path().join("missing");
    let output = run(["report".as_ref(), missing.as_os_str()]);
    assert_fails(&output, USAGE, &["missing", "No such file"]);
    let output = run(["report".as_ref(), folder.path().as_os_str()]);
    assert_fails(&output, USAGE, &["cannot read"]);
}

/// A place that cannot be written to is found out before measuring.
#[test]
fn unwritable_output() {
    let output = run([
        "run",
        "--save",
        "/no/such/folder/profile.json",
        "--",
        "true",
    ]);
    let words = ["/no/such/folder/profile.json", "No such file or directory"];
    assert_fails(&output, OUTPUT, &words);
    assert_fails(
        &run(["run", "--save", "/tmp", "--", "true"]),
        OUTPUT,
        &["folder"],
    );
}

/// A full disk fails the command, after the report has been printed.
#[test]
fn root_full_disk() {
    crate::needs_root!("root_full_disk");
    let output = run(["run", "--save", "/dev/full", "--", "true"]);
    assert_eq!(output.status.code(), Some(OUTPUT));
    assert!(
        stderr(&output).contains("No space left"),
        "{}",
        stderr(&output)
    );
    assert!(String::from_utf8_lossy(&output.stdout).contains("entries in"));
}

/// Without privileges the missing capabilities are named, with how to get them.
#[test]
fn root_no_privileges() {
    crate::needs_root!("root_no_privileges");
    let folder = tempfile::tempdir().expect("a folder");
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path(), open).expect("ours");
    let copy = folder.path().join("modeswitch");
    std::fs::copy(env!("CARGO_BIN_EXE_modeswitch"), &copy).expect("a copy");
    let output = std::process::Command::new(&copy)
        .args(["run", "--", "true"])
        .uid(65_534)
        .gid(65_534)
        .output()
        .expect("the copy starts");
    assert_fails(
        &output,
        ENVIRONMENT,
        &["CAP_BPF", "CAP_PERFMON", "sudo", "setcap"],
    );
}

/// A process that does not exist cannot be attached to.
#[test]
fn root_no_such_process() {
    crate::needs_root!("root_no_such_process");
    let output = run(["attach", "--duration", "1s", "2147483647"]);
    assert_fails(&output, USAGE, &["2147483647"]);
}

/// A reader that closes the pipe early is no error.
#[test]
fn closed_pipe() {
    let mut child = modeswitch()
        .arg("--help")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the binary starts");
    drop(child.stdout.take());
    let status = child.wait().expect("it ends");
    assert!(status.success(), "{status}");
}
