//! Options that several commands share.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::values::duration;
use crate::{
    probe::{
        backend::BackendChoice,
        settings::{Filter, Settings, StackPolicy},
    },
    report::format::Format,
};

/// How to measure.
#[derive(Args, Clone, Debug)]
pub struct ProbeOptions {
    /// Which probes to use.
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "BACKEND",
        help_heading = "Measuring"
    )]
    pub backend: BackendChoice,

    /// Whether to take kernel and user stacks.
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "POLICY",
        help_heading = "Measuring"
    )]
    pub stacks: StackPolicy,

    /// Measure for this long at most (5s, 200ms, 1m).
    #[arg(long, value_parser = duration, value_name = "TIME", help_heading = "Measuring")]
    pub duration: Option<Duration>,
}

impl ProbeOptions {
    /// The probes' settings.
    #[must_use]
    pub fn settings(&self, filter: Filter, verbose: u8) -> Settings {
        Settings {
            backend: self.backend,
            stacks: self.stacks,
            filter,
            diagnostics: verbose > 0,
        }
    }
}

/// What to do with the result.
#[derive(Args, Clone, Debug)]
pub struct OutputOptions {
    /// How to print the result on standard output.
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        help_heading = "Result"
    )]
    pub format: Format,

    /// Also save the whole result in a file, as JSON.
    #[arg(short, long, value_name = "FILE", help_heading = "Result")]
    pub output: Option<PathBuf>,
}
