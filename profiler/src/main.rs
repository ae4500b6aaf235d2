//! The `modeswitch` binary: parses, runs, and turns the result into a status.

use std::process::ExitCode;

use clap::Parser;
use modeswitch::{
    cli::{Cli, dispatch},
    error::exit_code_of,
};

fn main() -> ExitCode {
    let cli = Cli::parse();
    cli.start_output();
    match dispatch::run(cli) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            dispatch::report_error(&error);
            ExitCode::from(exit_code_of(&error))
        }
    }
}
