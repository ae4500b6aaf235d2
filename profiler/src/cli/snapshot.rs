//! Keeping what was measured, before it is interpreted.

use std::path::PathBuf;

use clap::Args;

use super::{options::Destination, output::print_with};
use crate::{
    error::Error,
    launch::command,
    profile::file::{self, is_stdio},
    symbolize::measurement::Measurement,
};

/// Whether to keep the snapshot.
#[derive(Args, Clone, Debug, Default)]
pub struct SnapshotOptions {
    /// Also keep what was read from the kernel, before it is interpreted, in FILE
    /// (`-`: standard output): for reports of wrong results, and for tests.
    #[arg(long, value_name = "FILE", help_heading = "Result")]
    keep_snapshot: Option<PathBuf>,
}

impl SnapshotOptions {
    /// Checks, before anything is measured, that a snapshot can be kept beside the
    /// result.
    ///
    /// # Errors
    /// [`Error::Usage`] if both would go to standard output, [`Error::Output`] if the
    /// file cannot be written.
    pub fn check(&self, to: &Destination) -> Result<(), Error> {
        let Some(path) = &self.keep_snapshot else {
            return Ok(());
        };
        if !is_stdio(path) {
            return file::check_writable(path);
        }
        let is_there = |path: &Option<PathBuf>| path.as_deref().is_some_and(is_stdio);
        if to.output.is_none() || is_there(&to.output) || is_there(&to.save) {
            return Err(Error::Usage(
                "the result and the snapshot of `--keep-snapshot -` would both go to standard \
                 output: send the result to a file with -o and --format"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    /// Where standard output of a measured command goes, if it goes to `otherwise`
    /// without a snapshot: not between its lines.
    #[must_use]
    pub fn command_output(&self, otherwise: command::Output) -> command::Output {
        match self.keep_snapshot.as_deref() {
            Some(path) if is_stdio(path) => command::Output::ToStandardError,
            _ => otherwise,
        }
    }

    /// Keeps the snapshot if asked to.
    ///
    /// # Errors
    /// [`Error::Output`] if it cannot be written.
    pub fn keep(&self, measurement: &Measurement) -> Result<(), Error> {
        match self.keep_snapshot.as_deref() {
            None => Ok(()),
            Some(path) if is_stdio(path) => print_with(false, |out| measurement.write(out)),
            Some(path) => file::save_with(path, |out| measurement.write(out)),
        }
    }
}
