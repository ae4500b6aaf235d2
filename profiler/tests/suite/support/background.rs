//! Programs that run beside the one being measured.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStdout, Command, Stdio},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use super::evidence;

/// A program that says `ready`, and is killed in the end if it still runs.
pub(crate) struct Background {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Background {
    /// Starts it and waits for its first line with `ready` in it.
    ///
    /// # Errors
    /// What it said, if it ended instead.
    pub(crate) fn start(command: &mut Command) -> Result<Self, String> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| {
                let program = command.get_program().to_string_lossy();
                format!("{program} cannot be run: {error}")
            })?;
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut background = Self { child, output };
        let mut line = String::new();
        while !line.contains("ready") {
            line.clear();
            let read = background.output.read_line(&mut line);
            if read.expect("text") == 0 {
                return Err(background.last_words());
            }
        }
        Ok(background)
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    fn last_words(&mut self) -> String {
        let mut text = String::new();
        if let Some(mut errors) = self.child.stderr.take() {
            // What cannot be read is no news.
            let _ = errors.read_to_string(&mut text);
        }
        text
    }

    /// Interrupts it, and returns the rest of what it prints.
    pub(crate) fn interrupt(mut self) -> String {
        let pid = Pid::from_raw(i32::try_from(self.child.id()).expect("a pid"));
        kill(pid, Signal::SIGINT).expect("it still runs");
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).expect("text");
        evidence::note("witness.txt", rest.as_str());
        rest
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
