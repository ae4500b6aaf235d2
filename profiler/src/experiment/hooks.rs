//! What the user has run around each run.

use std::process::{Command, Stdio};

use crate::error::Error;

/// Has a shell run something that is not measured.
///
/// # Errors
/// [`Error::TargetNotStarted`] if it fails.
pub(super) fn run(option: &str, text: Option<&str>) -> Result<(), Error> {
    let Some(text) = text else {
        return Ok(());
    };
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", text])
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let failed = match shell.status() {
        Ok(status) if status.success() => return Ok(()),
        Ok(status) => status.to_string(),
        Err(error) => error.to_string(),
    };
    Err(Error::TargetNotStarted(format!(
        "`{option} '{text}'` failed: {failed}: try it by itself"
    )))
}
