//! The loop being measured: system calls that do nothing.
//!
//! It is one process for the whole benchmark. Two processes of the same program
//! can differ by more than a probe costs, for where their memory happens to lie.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Instant,
};

use anyhow::{Context as _, Result};
use nix::{
    sched::{CpuSet, sched_setaffinity},
    unistd::{Pid, getppid},
};

use super::tools;

/// Calls between two readings of the clock.
const CALLS: u32 = 200_000;
/// Readings. The smallest is the result: what disturbs a reading only ever adds
/// to it, and what a probe costs is in all of them.
const READINGS: usize = 9;

/// Runs the loop on a CPU whenever a line comes in, and answers with the
/// nanoseconds that one call took.
pub(super) fn serve(cpu: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu).context("there is no such CPU")?;
    sched_setaffinity(Pid::from_raw(0), &set).context("cannot use that CPU")?;
    for line in std::io::stdin().lines() {
        line?;
        println!("{}", nanoseconds_per_call());
    }
    Ok(())
}

fn nanoseconds_per_call() -> f64 {
    let mut readings = Vec::with_capacity(READINGS);
    for _ in 0..READINGS {
        let begin = Instant::now();
        for _ in 0..CALLS {
            std::hint::black_box(getppid());
        }
        readings.push(begin.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS));
    }
    tools::range(&readings).0
}

/// The loop's process, seen from outside.
pub(super) struct Loop {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Loop {
    /// Starts the process.
    pub(super) fn start(cpu: usize) -> Result<Self> {
        let mut child = Command::new(tools::own()?)
            .args(["bench-loop", &cpu.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the loop")?;
        let input = child.stdin.take().context("the loop has no input")?;
        let output = child.stdout.take().context("the loop has no output")?;
        Ok(Self {
            child,
            input,
            output: BufReader::new(output),
        })
    }

    /// The process's number.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Runs the loop once. Nanoseconds per call.
    pub(super) fn run(&mut self) -> Result<f64> {
        writeln!(self.input, "go").context("the loop is gone")?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        line.trim().parse().context("the loop gave no time")
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let ended = self.child.kill().and_then(|()| self.child.wait());
        if let Err(error) = ended {
            eprintln!("cannot end the loop: {error}");
        }
    }
}
