//! Threads and processes that come and go: each is counted from its first return to
//! its last call, and nobody else in its place.

use std::{
    fs,
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    needs_root,
    root_polled::is_lab,
    support::{
        background::Background,
        command::{measuring, stderr},
        known::{assert_known, assert_next_to_none_missing},
        profile::lives,
        setting::Settings,
        skip::skip_here,
        targets,
    },
};

/// So few numbers of threads that each is used again and again; in the lab only, since
/// the whole machine has to do with them.
fn few_numbers() -> Settings {
    let mut settings = Settings::default();
    if is_lab() {
        let set = settings.set("/proc/sys/kernel/pid_max", "500");
        set.expect("root may");
    }
    settings
}

/// Numbers are taken over by strangers and by threads of our own: no stranger is in
/// the ledger, no thread is left over, and each is counted to its last call.
#[test]
fn root_strangers() {
    needs_root!("root_strangers");
    let _few = few_numbers();
    let strangers = Background::start(Command::new(targets::lives()).arg("strangers"));
    let strangers = strangers.expect("it runs");
    let rows = ["--ledger-rows", "65536"];
    let profile = lives(&rows, &["threads", "3000", "7"]);
    drop(strangers);
    assert_eq!(profile.count("syscall", "getsid"), 0, "a stranger's calls");
    assert_eq!(profile.0["exit"]["left_running"], 0);
    profile.assert_accounted();
    let expected = [
        ("syscall", "exit", 3000),
        ("new_task", "first_return", 3000),
    ];
    for (cause, detail, expected) in expected {
        let name = format!("come and go: {detail}");
        assert_known(&profile, &name, expected, profile.count(cause, detail));
    }
    let calls = profile.count("syscall", "getppid");
    assert_next_to_none_missing(&profile, "come and go: getppid", 21_000, calls);
}

/// A child that is killed before it has run was on its way out of its parent's `fork`
/// all the same: with every backend, that return is counted.
#[test]
fn root_killed_before_first_return() {
    needs_root!("root_killed_before_first_return");
    let profile = lives(&[], &["killed", "100"]);
    assert_eq!(profile.0["exit"]["code"], 0);
    profile.assert_accounted();
    let counted = profile.count("new_task", "first_return");
    assert_known(&profile, "killed before the first return", 100, counted);
    assert_eq!(profile.count("syscall", "exit_group"), 1);
}

/// The x32 way to end is one, too.
#[test]
fn root_x32_ends() {
    needs_root!("root_x32_ends");
    let profile = lives(&[], &["x32", "20"]);
    if profile.0["exit"]["code"] == 77 {
        return skip_here("root_x32_ends", "this kernel has no x32 programs");
    }
    profile.assert_accounted();
    let calls = profile.of_cause_named("syscall", |name| {
        name.ends_with("exit_group") || name.ends_with("1073742055")
    });
    assert_known(&profile, "x32: exit_group", 21, calls);
}

/// A process whose first thread has ended is still counted.
#[test]
fn root_first_thread_ends_first() {
    needs_root!("root_first_thread_ends_first");
    let profile = lives(&[], &["leaderless", "500"]);
    profile.assert_accounted();
    let calls = profile.count("syscall", "getppid");
    assert_known(&profile, "first thread ended: getppid", 500, calls);
}

/// Threads that end while they are being listed, and a first thread that has ended long
/// ago: `attach` follows those that live, and ends with the process.
#[test]
fn root_attach_ends() {
    needs_root!("root_attach_ends");
    for _ in 0..3 {
        let target = Background::start(Command::new(targets::lives()).arg("restless"));
        let target = target.expect("it runs");
        let pid = target.pid();
        let mut attach = measuring("attach");
        attach.args(["--format", "json", "--ledger-rows", "65536"]);
        attach.arg(pid.to_string());
        let attach = attach.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let attach = attach.expect("the binary starts");
        while !is_following(attach.id()) {
            thread::sleep(Duration::from_millis(50));
        }
        // Followed for a while.
        thread::sleep(Duration::from_secs(2));
        let process = Pid::from_raw(pid.cast_signed());
        kill(process, Signal::SIGKILL).expect("it runs");
        let output = attach.wait_with_output().expect("it ends by itself");
        assert!(output.status.success(), "{}", stderr(&output));
    }
}

/// Whether a measurement follows its process, or is over: whether it listens to what
/// is mapped, which it does next.
fn is_following(pid: u32) -> bool {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps"));
    maps.map_or(true, |maps| {
        maps.is_empty() || maps.contains("anon_inode:[perf_event]")
    })
}
