//! However a run ends, what was seen is reported, and nothing is left behind.

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{SigHandler, Signal, kill},
    unistd::Pid,
};

use crate::{
    needs_root,
    support::{
        command::{assert_fails, backend, measuring, stderr, with},
        profile::{Json, counts, from_file},
        targets,
    },
};

/// Starts a measurement of a program that waits for ever, and returns once the
/// program has done its counted work.
fn start_waiting(output: &std::path::Path, prepare: impl FnOnce(&mut Command)) -> Child {
    let mut command = measuring("run");
    prepare(&mut command);
    let mut child = command
        .args(["--format", "json", "-o"])
        .arg(output)
        .arg("--")
        .arg(targets::counts())
        .args(["wait", "1234"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let stdout = child.stdout.take().expect("piped");
    let mut stdout = BufReader::new(stdout);
    let mut line = String::new();
    stdout.read_line(&mut line).expect("the program speaks");
    assert_eq!(line, "ready\n");
    // Whoever reads the rest keeps the pipe open until the end.
    std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
    child
}

/// The process that modeswitch has launched.
fn only_child_of(parent: u32) -> Pid {
    let children = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"))
        .expect("the kernel lists children");
    Pid::from_raw(children.trim().parse().expect("one child"))
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).expect("a pid"))
}

fn assert_saw_the_work(profile: &Json) {
    assert_eq!(profile.count_in("syscall", "getppid", "steady"), 1234);
}

/// Ctrl-C on the profiler ends the command, and the report is still printed.
#[test]
fn root_interrupted_profiler() {
    needs_root!("root_interrupted_profiler");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("profile.json");
    let child = start_waiting(&file, |_| ());
    let target = only_child_of(child.id());
    kill(pid_of(&child), Signal::SIGINT).expect("it runs");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(128 + 2), "{}", stderr(&output));
    let profile = from_file(&file);
    assert_saw_the_work(&profile);
    assert_eq!(profile.0["exit"]["interrupted_by"], "SIGINT");
    assert_eq!(profile.0["exit"]["signal"], 2);
    assert!(kill(target, None).is_err(), "the command is gone");
    assert_eq!(
        std::fs::read_dir(&folder).expect("a folder").count(),
        1,
        "no files left over"
    );
}

/// What was ignored when modeswitch was started, as `nohup` asks for, ends nothing.
#[test]
fn root_ignored_signals() {
    needs_root!("root_ignored_signals");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("profile.json");
    let child = start_waiting(&file, |command| with(command, SigHandler::SigIgn));
    let target = only_child_of(child.id());
    for ignored in [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM] {
        kill(pid_of(&child), ignored).expect("it runs");
    }
    // Had one of them been passed on or taken to heart, the report would name it.
    kill(target, Signal::SIGKILL).expect("it runs");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(128 + 9), "{}", stderr(&output));
    let profile = from_file(&file);
    assert_saw_the_work(&profile);
    assert_eq!(profile.0["exit"]["signal"], 9);
    assert!(profile.0["exit"]["interrupted_by"].is_null());
}

/// A command killed from outside is reported with the signal.
#[test]
fn root_killed_target() {
    needs_root!("root_killed_target");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("profile.json");
    let child = start_waiting(&file, |_| ());
    kill(only_child_of(child.id()), Signal::SIGKILL).expect("it runs");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(128 + 9), "{}", stderr(&output));
    let profile = from_file(&file);
    assert_saw_the_work(&profile);
    assert_eq!(profile.0["exit"]["signal"], 9);
    assert!(profile.0["exit"]["interrupted_by"].is_null());
}

/// A command that crashes is reported with what it did until then.
#[test]
fn root_crashed_target() {
    needs_root!("root_crashed_target");
    let profile = counts(&[], &["crash", "4321"]);
    assert_eq!(profile.count_in("syscall", "getppid", "steady"), 4321);
    assert_eq!(profile.0["exit"]["signal"], 11);
    // The access that killed it is an entry like any other.
    assert_eq!(profile.of_cause_in("page_fault", "steady"), 1);
}

/// `--duration` ends the command and says so.
#[test]
fn root_duration() {
    needs_root!("root_duration");
    let begin = std::time::Instant::now();
    let profile = counts(&["--duration", "300ms"], &["spin", "600000"]);
    let all = u64::try_from(begin.elapsed().as_nanos()).expect("less than centuries");
    let measured = profile.0["window"]["duration_ns"].as_u64().expect("a time");
    assert!(
        (300_000_000..all).contains(&measured),
        "{measured} ns were measured, of {all}"
    );
    assert_eq!(profile.0["exit"]["interrupted_by"], "duration");
    assert_eq!(profile.0["exit"]["signal"], 15);
}

/// What a command does that does not heed the end of `--duration` is not counted:
/// the window is closed before the command is told.
#[test]
fn root_duration_ends_the_window() {
    needs_root!("root_duration_ends_the_window");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("profile.json");
    let mut command = measuring("run");
    command.args([
        "--duration",
        "300ms",
        "--timeline=20ms",
        "--format",
        "json",
        "-o",
    ]);
    command.arg(&file).arg("--").arg("sh").arg("-c");
    // What comes after SIGTERM makes a call of its own.
    let script = "trap '' TERM; exec \"$0\" spin 600000";
    command.arg(script).arg(targets::counts());
    let begun = Instant::now();
    let output = command.output().expect("the binary starts");
    let took = begun.elapsed();
    assert!(output.status.success(), "{}", stderr(&output));
    let profile = from_file(&file);
    assert_eq!(profile.0["exit"]["interrupted_by"], "duration");
    assert_eq!(profile.0["exit"]["signal"], 9);
    let window = &profile.0["window"];
    let measured = window["duration_ns"].as_u64().expect("a time");
    // The command had five seconds after the deadline.
    assert!(
        u128::from(measured) * 2 < took.as_nanos(),
        "{measured} ns of {took:?}"
    );
    let phases = window["phases"].as_array().expect("a list").iter();
    let times = phases.filter_map(|phase| phase["duration_ns"].as_u64());
    assert_eq!(times.sum::<u64>(), measured, "{window}");
    let ends = profile.0["timeline"]["ends_ns"].as_array().expect("a list");
    assert_eq!(
        ends.last().and_then(serde_json::Value::as_u64),
        Some(measured)
    );
    // Killing it is not its own doing.
    assert_eq!(profile.count("syscall", "exit_group"), 0);
}

/// The command's own status is reported and passed on, unless that is not wanted or
/// modeswitch itself fails. What `--duration` ended has not failed.
#[test]
fn root_exit_status() {
    needs_root!("root_exit_status");
    assert_eq!(counts(&[], &["status", "7"]).0["exit"]["code"], 7);
    let ended = |options: &[&str], command: &[&str]| {
        let mut run = measuring("run");
        run.args(options).arg(targets::counts()).args(command);
        let output = run.output().expect("the binary starts");
        output.status.code()
    };
    assert_eq!(ended(&[], &["status", "0"]), Some(0));
    assert_eq!(ended(&[], &["status", "7"]), Some(7));
    assert_eq!(ended(&["--propagate-exit"], &["status", "7"]), Some(7));
    assert_eq!(ended(&[], &["crash", "0"]), Some(128 + 11));
    assert_eq!(ended(&["--no-propagate-exit"], &["status", "7"]), Some(0));
    assert_eq!(ended(&["--no-propagate-exit"], &["crash", "0"]), Some(0));
    assert_eq!(ended(&["--save", "/dev/full"], &["status", "7"]), Some(6));
    let briefly = ["--duration", "200ms"];
    assert_eq!(ended(&briefly, &["spin", "600000"]), Some(0));
    assert_eq!(ended(&briefly, &["status", "7"]), Some(7));
}

/// A low limit on open files is raised where that is allowed, and the command has
/// the one that it would have; where it is not, the limit is what is named.
#[test]
fn root_open_files() {
    needs_root!("root_open_files");
    let limited = |limits: &str, script: &str| {
        let script = format!(
            "{limits}; exec \"$0\" run {} -- sh -c '{script}'",
            backend().join(" ")
        );
        let mut command = Command::new("sh");
        command
            .args(["-c", &script])
            .arg(env!("CARGO_BIN_EXE_modeswitch"));
        command.output().expect("a shell")
    };
    let output = limited("ulimit -Sn 40", "ulimit -Sn; ulimit -Hn");
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.starts_with("40\n"), "{text}");
    assert!(!text.starts_with("40\n40\n"), "{text}");
    let output = limited("ulimit -n 40", "true");
    assert_fails(&output, 3, &["only 40 files", "ulimit -n 1024"]);
    assert!(!stderr(&output).contains("kernel"), "{}", stderr(&output));
}

/// Standard input and output belong to the command.
#[test]
fn root_standard_streams() {
    needs_root!("root_standard_streams");
    let folder = tempfile::tempdir().expect("a folder");
    let input = folder.path().join("input");
    std::fs::write(&input, "through\n").expect("a file");
    let output = measuring("run")
        .args(["--", "cat"])
        .stdin(std::fs::File::open(&input).expect("a file"))
        .output()
        .expect("the binary starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.starts_with("through\n"),
        "the command's output comes first: {text}"
    );
    assert!(
        text.contains("entries in"),
        "and the report behind it: {text}"
    );
}

/// No program of ours outlives the run.
#[test]
fn root_nothing_stays_loaded() {
    needs_root!("root_nothing_stays_loaded");
    let before = loaded_programs();
    let folder = tempfile::tempdir().expect("a folder");
    let child = start_waiting(&folder.path().join("profile.json"), |_| ());
    let ours: BTreeSet<u32> = loaded_programs().difference(&before).copied().collect();
    assert!(!ours.is_empty(), "something is loaded while it runs");
    kill(pid_of(&child), Signal::SIGTERM).expect("it runs");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(128 + 15), "{}", stderr(&output));
    // The kernel frees programs a while after their last user is gone. The
    // limit only keeps a failure from lasting for ever.
    let patience = Instant::now() + Duration::from_mins(1);
    while loaded_programs().intersection(&ours).next().is_some() {
        assert!(Instant::now() < patience, "programs are left in the kernel");
        std::thread::yield_now();
    }
}

/// Numbers of all programs in the kernel.
fn loaded_programs() -> BTreeSet<u32> {
    aya::programs::loaded_programs()
        .flatten()
        .map(|program| program.id())
        .collect()
}

/// Another user runs the command when asked to.
#[test]
fn root_other_user() {
    needs_root!("root_other_user");
    let output = measuring("run")
        .args(["--user=nobody", "--", "id", "-un"])
        .output()
        .expect("the binary starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.starts_with("nobody\n"), "{text}{}", stderr(&output));
}

/// The programs' own rare messages reach standard error with `-v` or `RUST_LOG`, and
/// only then.
#[test]
fn root_diagnostics() {
    needs_root!("root_diagnostics");
    for (options, level, expected) in [
        (&["-v"][..], "", true),
        (&[], "", false),
        (&[], "debug", true),
        (&["-q"], "debug", false),
    ] {
        let output = measuring("run")
            .env("RUST_LOG", level)
            .args(options)
            .arg("true")
            .output()
            .expect("the binary starts");
        let message = stderr(&output);
        assert_eq!(
            message.contains("is counted from here on"),
            expected,
            "{message}"
        );
    }
}
