//! `modeswitch report`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::output::{self, Shown};
use crate::{error::Error, exit_code, experiment::document, report::format::Format};

/// Worked examples, shown under the help.
const EXAMPLES: &str = "\
Examples:
  modeswitch report poller.json
      the same tables as when it was measured, on any machine
  modeswitch report --format json poller.json | jq .ledger.by_cause
      the document itself";

/// Prints a saved profile or experiment. Needs no privileges and no kernel.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct ReportArgs {
    /// How to print it.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: Format,

    /// Write it to a file, whole or not at all, instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// A file written with `-o` by another command.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Carries the command out.
///
/// # Errors
/// [`crate::error::Error`] where the user can do something about it.
pub fn run(args: &ReportArgs) -> Result<u8> {
    match document::load(&args.file)? {
        document::Document::Profile(profile) => deliver(&*profile, args)?,
        document::Document::Experiment(experiment) => deliver(&*experiment, args)?,
    }
    Ok(exit_code::SUCCESS)
}

fn deliver(result: &impl Shown, args: &ReportArgs) -> Result<(), Error> {
    match &args.output {
        Some(path) => output::write(result, args.format, path),
        None => output::print(result, args.format),
    }
}
