//! From a parsed command line to the command.

use anyhow::Result;

use super::{
    Cli, Command, attach, check, compare, documentation, experiment, output, report, run, schema,
    workload,
};
use crate::{error::exit_code_of, exit_code::INTERNAL};

/// Runs a command. Returns the exit status.
///
/// # Errors
/// [`crate::error::Error`] where the user can do something about it; anything
/// else is an internal error.
pub fn run(cli: Cli) -> Result<u8> {
    match cli.command {
        Command::Run(args) => run::run(args),
        Command::Attach(args) => attach::attach(&args),
        Command::Cpu(args) => attach::cpu(&args),
        Command::Experiment(args) => experiment::run(args),
        Command::Compare(args) => compare::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Workload(args) => workload::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::Completions(args) => documentation::completions(&args),
        Command::Man(args) => documentation::man(&args),
    }
}

/// Tells the user what went wrong.
pub fn report_error(error: &anyhow::Error) {
    let kind = if exit_code_of(error) == INTERNAL {
        "internal error: "
    } else {
        ""
    };
    output::say(&format!("modeswitch: {kind}{error:#}"));
}
