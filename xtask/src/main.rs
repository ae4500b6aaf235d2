//! The chores of modeswitch: `cargo xtask COMMAND`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "telling a developer what happens is what this program is for"
)]

mod bench;
mod build_ebpf;
mod ci;
mod fuzz;
mod install;
mod lab;
mod test;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Builds the eBPF object, runs the tests, does what CI does.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Bench(bench::Options),
    #[command(hide = true)]
    BenchLoop(bench::LoopOptions),
    BuildEbpf(build_ebpf::Options),
    Test(test::Options),
    Ci(ci::Options),
    Fuzz(fuzz::Options),
    Lab(lab::Options),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Bench(options) => bench::run(&options),
        Command::BenchLoop(options) => bench::run_loop(&options),
        Command::BuildEbpf(options) => build_ebpf::run(&options),
        Command::Test(options) => test::run(&options),
        Command::Ci(options) => ci::run(&options),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Lab(options) => return lab::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
