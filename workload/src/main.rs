//! The load generator by itself; `modeswitch workload` is the same.

use std::{
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;
use workload::{Outcome, cli::WorkloadArgs};

#[derive(Parser)]
#[command(name = "workload", version)]
struct Line {
    #[command(flatten)]
    args: WorkloadArgs,
}

fn main() -> ExitCode {
    let line = Line::parse();
    match workload::run(&line.args, &mut io::stdout().lock()) {
        Ok(Outcome::Verified { all_shown: false }) => ExitCode::FAILURE,
        Ok(Outcome::Finished(_) | Outcome::Verified { .. }) => ExitCode::SUCCESS,
        Err(error) => {
            let _nobody_there = writeln!(io::stderr(), "workload: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
