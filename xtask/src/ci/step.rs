//! Commands whose output matters only when they fail.

use std::io::{Read as _, Seek as _, Write as _};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};
use modeswitch_object::process;

/// Runs a command; what it prints is shown if it fails.
pub(super) fn quietly(command: &mut Command) -> Result<()> {
    let name = process::describe(command);
    // One file for both streams keeps their lines in order.
    let mut log = tempfile::tempfile().context("cannot make a temporary file")?;
    let context = "cannot use the temporary file twice";
    let status = command
        .stdin(Stdio::null())
        .stdout(log.try_clone().context(context)?)
        .stderr(log.try_clone().context(context)?)
        .status()
        .with_context(|| format!("cannot start `{name}`"))?;
    if status.success() {
        return Ok(());
    }
    let mut output = Vec::new();
    log.rewind()
        .and_then(|()| log.read_to_end(&mut output))
        .and_then(|_| std::io::stderr().write_all(&output))
        .with_context(|| format!("cannot show what `{name}` printed"))?;
    bail!("`{name}` ended with {status}")
}
