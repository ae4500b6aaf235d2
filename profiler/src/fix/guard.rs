//! The guard: a process of its own that makes changes to the machine and undoes
//! them whatever becomes of us. Its orders come through a pipe; when the pipe
//! ends, be it that the profiler was killed, it undoes what is left and goes.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, BufRead, BufReader, Write},
    os::fd::OwnedFd,
    path::Path,
};

use anyhow::{Context, Result};
use nix::{
    fcntl::OFlag,
    sys::{
        signal::{SigHandler, Signal, signal},
        wait::waitpid,
    },
    unistd::{ForkResult, Pid, dup2_stderr, dup2_stdin, dup2_stdout, fork, pipe2},
};
use serde::{Deserialize, Serialize};

use super::machine::{Change, Setting};
use crate::error::Error;

/// Held while the machine is changed: two experiments at once would each undo
/// the other's change.
const LOCK: &str = "/run/modeswitch.lock";

/// What the guard is asked to do, one JSON line each.
#[derive(Serialize, Deserialize)]
enum Order {
    /// Make a setting.
    Set { path: String, value: String },
    /// Undo everything, last change first.
    Undo,
}

/// What it answers.
#[derive(Serialize, Deserialize)]
enum Answer {
    /// Done; of a setting, the value before.
    Done { before: String },
    /// Not done, and why.
    Failed { why: String },
}

/// The profiler's end.
pub struct Guard {
    pid: Pid,
    orders: Option<File>,
    answers: BufReader<File>,
}

impl Guard {
    /// Starts the guard. The process must have one thread only.
    ///
    /// # Errors
    /// [`Error::Environment`] if another experiment is changing the machine.
    pub fn start() -> Result<Self> {
        Self::start_with(Path::new(LOCK))
    }

    fn start_with(lock: &Path) -> Result<Self> {
        let lock = locked(lock)?;
        let (orders, send) = pipe2(OFlag::O_CLOEXEC).context("cannot create a pipe")?;
        let (receive, answers) = pipe2(OFlag::O_CLOEXEC).context("cannot create a pipe")?;
        // SAFETY: this process has one thread, so the child finds every lock free.
        match unsafe { fork() }.context("cannot create the guard's process")? {
            ForkResult::Child => {
                drop(send);
                drop(receive);
                stand(orders, answers);
                drop(lock);
                // SAFETY: ends the child without running the parent's exit handlers.
                unsafe { libc::_exit(0) }
            }
            ForkResult::Parent { child } => Ok(Self {
                pid: child,
                orders: Some(File::from(send)),
                answers: BufReader::new(File::from(receive)),
            }),
        }
    }

    /// Makes a setting. The value before.
    ///
    /// # Errors
    /// [`Error::Environment`] if the kernel refuses it.
    pub fn set(&mut self, setting: &Setting) -> Result<String> {
        let order = Order::Set {
            path: setting.path.display().to_string(),
            value: setting.value.clone(),
        };
        match self.ask(&order)? {
            Answer::Done { before } => Ok(before),
            Answer::Failed { why } => Err(Error::Environment(format!(
                "cannot set {} to `{}`: {why}",
                setting.path.display(),
                setting.value
            ))
            .into()),
        }
    }

    /// Undoes all settings made so far.
    ///
    /// # Errors
    /// [`Error::Environment`] if one could not be undone.
    pub fn undo(&mut self) -> Result<()> {
        match self.ask(&Order::Undo)? {
            Answer::Done { .. } => Ok(()),
            Answer::Failed { why } => Err(Error::Environment(why).into()),
        }
    }

    fn ask(&mut self, order: &Order) -> Result<Answer> {
        let gone = "the guard is gone";
        let orders = self.orders.as_mut().context(gone)?;
        writeln!(orders, "{}", serde_json::to_string(order)?).context(gone)?;
        let mut line = String::new();
        self.answers.read_line(&mut line).context(gone)?;
        serde_json::from_str(&line).context(gone)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.orders = None;
        if let Err(error) = waitpid(self.pid, None) {
            log::debug!("cannot wait for the guard: {error}");
        }
    }
}

/// The lock, which both processes hold until the last of them is gone.
fn locked(path: &Path) -> Result<File> {
    let open = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path);
    let file = open.map_err(|error| {
        Error::Environment(format!(
            "cannot open {}: {error}: settings of the whole machine need root",
            path.display()
        ))
    })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Environment(format!(
            "another experiment is changing this machine's settings ({} is locked): wait for its \
             end",
            path.display()
        ))
        .into()),
        Err(TryLockError::Error(error)) => Err(error).context("cannot lock"),
    }
}

/// The guard's side: obeys until the pipe ends.
fn stand(orders: OwnedFd, answers: OwnedFd) {
    for ending in [
        Signal::SIGINT,
        Signal::SIGTERM,
        Signal::SIGQUIT,
        Signal::SIGHUP,
        Signal::SIGPIPE,
        Signal::SIGTSTP,
    ] {
        // SAFETY: no handler is installed: the signal is ignored, since what
        // ends the profiler must not end its guard.
        let _ = unsafe { signal(ending, SigHandler::SigIgn) };
    }
    // Nobody who waits for the end of our output shall wait for the guard.
    if let Ok(nowhere) = OpenOptions::new().read(true).write(true).open("/dev/null") {
        let _ = dup2_stdin(&nowhere);
        let _ = dup2_stdout(&nowhere);
        let _ = dup2_stderr(&nowhere);
    }
    // The name that `ps` shows.
    let _ = fs::write("/proc/self/comm", "modeswitch-grd");
    let mut answers = File::from(answers);
    let mut changes: Vec<Change> = Vec::new();
    for line in BufReader::new(File::from(orders)).lines() {
        let Ok(line) = line else { break };
        let answer = match serde_json::from_str(&line) {
            Ok(Order::Set { path, value }) => set(&mut changes, path, value),
            Ok(Order::Undo) => undo(&mut changes),
            Err(error) => Err(io::Error::from(error)),
        };
        let answer = match answer {
            Ok(before) => Answer::Done { before },
            Err(error) => Answer::Failed {
                why: error.to_string(),
            },
        };
        let answer = serde_json::to_string(&answer).unwrap_or_default();
        if writeln!(answers, "{answer}").is_err() {
            break;
        }
    }
    let _nobody_is_left_to_tell = undo(&mut changes);
}

fn set(changes: &mut Vec<Change>, path: String, value: String) -> io::Result<String> {
    let change = Change::make(Setting {
        path: path.into(),
        value,
    })?;
    let before = change.before.clone();
    changes.push(change);
    Ok(before)
}

/// Undoes all, the last first, and goes on after one that fails.
fn undo(changes: &mut Vec<Change>) -> io::Result<String> {
    let mut failed = Vec::new();
    while let Some(change) = changes.pop() {
        if let Err(error) = change.undo() {
            failed.push(error.to_string());
        }
    }
    if failed.is_empty() {
        Ok(String::new())
    } else {
        Err(io::Error::other(failed.join("; ")))
    }
}
