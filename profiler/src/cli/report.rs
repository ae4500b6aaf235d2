//! `modeswitch report`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::output;
use crate::{exit_code, experiment::document, report::format::Format};

/// Prints a saved profile or experiment. Needs no privileges and no kernel.
#[derive(Args, Debug)]
pub struct ReportArgs {
    /// How to print it.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,

    /// A file written with `-o`.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Carries the command out.
///
/// # Errors
/// [`crate::error::Error`] where the user can do something about it.
pub fn run(args: &ReportArgs) -> Result<u8> {
    match document::load(&args.file)? {
        document::Document::Profile(profile) => output::print(&*profile, args.format)?,
        document::Document::Experiment(experiment) => output::print(&*experiment, args.format)?,
    }
    Ok(exit_code::SUCCESS)
}
