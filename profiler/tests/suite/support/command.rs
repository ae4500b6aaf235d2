//! Running the binary.

use std::{
    ffi::OsStr,
    os::unix::process::CommandExt as _,
    process::{Command, Output, Stdio},
};

use nix::sys::signal::{SigHandler, Signal, signal};

/// The binary under test.
pub(crate) fn modeswitch() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_modeswitch"));
    command.stdin(Stdio::null()).env_remove("SUDO_USER");
    with(&mut command, SigHandler::SigDfl);
    command
}

/// Starts the command with this for the signals that end programs, whatever the tests
/// themselves were started with: a background job's are ignored.
pub(crate) fn with(command: &mut Command, handler: SigHandler) {
    let set = move || {
        for number in [
            Signal::SIGINT,
            Signal::SIGQUIT,
            Signal::SIGHUP,
            Signal::SIGTERM,
        ] {
            // SAFETY: no handler of ours is replaced.
            unsafe { signal(number, handler) }?;
        }
        Ok(())
    };
    // SAFETY: it makes system calls only.
    unsafe { command.pre_exec(set) };
}

/// Its option that chooses the probes: those that the lab wants tested.
pub(crate) fn backend() -> Vec<String> {
    match std::env::var("MODESWITCH_TEST_BACKEND") {
        Ok(backend) if !backend.is_empty() => vec!["--backend".to_owned(), backend],
        _ => Vec::new(),
    }
}

/// The binary about to measure: `command` is `run` or one of its kin.
pub(crate) fn measuring(command: &str) -> Command {
    let mut measuring = modeswitch();
    measuring.arg(command).args(backend());
    measuring
}

/// Runs it to its end.
pub(crate) fn run<I, S>(arguments: I) -> Output
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    modeswitch()
        .args(arguments)
        .output()
        .expect("the binary starts")
}

/// What it wrote to standard error.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Asserts that it failed with a status and one sentence that has these words.
#[track_caller]
pub(crate) fn assert_fails(output: &Output, status: i32, words: &[&str]) {
    let message = stderr(output);
    assert_eq!(output.status.code(), Some(status), "{message}");
    assert!(!message.contains("panicked"), "{message}");
    for word in words {
        assert!(message.contains(word), "`{word}` is not in: {message}");
    }
    assert!(
        output.stdout.is_empty(),
        "a failed command prints no report"
    );
}
