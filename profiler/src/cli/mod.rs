//! The command line: syntax only. What it means is decided in each command.

pub mod attach;
pub mod check;
pub mod compare;
pub mod dispatch;
pub mod documentation;
pub mod experiment;
pub mod options;
pub mod output;
pub mod report;
pub mod run;
pub mod schema;
pub mod values;
pub mod workload;

use std::io::Write;

use clap::{Parser, Subcommand};

use crate::untrusted;

/// Worked examples, shown under the help.
const EXAMPLES: &str = "\
Examples:
  sudo modeswitch run ./server --port 80
      every kernel entry of a command, by cause, thread and code
  sudo modeswitch run --cpu 3 --save before.json ./poller
      pinned to CPU 3, and the profile kept
  modeswitch report before.json
      read it again, anywhere, without privileges
  sudo modeswitch experiment
      the in-tree polling workload before and after prefaulting its memory";

/// Counts every entry of a program into the kernel, and names its cause.
#[derive(Parser, Debug)]
#[command(name = "modeswitch", version, after_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    /// Say more on standard error: -v what the programs report, -vv everything.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Run a command and count its kernel entries from its first instruction on.
    Run(run::RunArgs),
    /// Count the kernel entries of a running process.
    Attach(attach::AttachArgs),
    /// Count the kernel entries of everything that runs on some CPUs.
    Cpu(attach::CpuArgs),
    /// Change one thing about a program, and tell what that did.
    Experiment(experiment::ExperimentArgs),
    /// Compare saved profiles: what is new, gone or moved, and whether it is real.
    Compare(compare::CompareArgs),
    /// Judge counts by a budget or by an earlier state, for CI.
    Check(check::CheckArgs),
    /// Print a saved profile or experiment.
    Report(report::ReportArgs),
    /// Run the in-tree polling workload by itself.
    Workload(::workload::cli::WorkloadArgs),
    /// Print the JSON Schema of a saved document.
    Schema(schema::SchemaArgs),
    /// Print a script by which a shell completes this command line.
    Completions(documentation::CompletionsArgs),
    /// Print or write the manual pages.
    Man(documentation::ManArgs),
}

impl Cli {
    /// Sends log messages to standard error, as many as asked for.
    pub fn start_logging(&self) {
        let (everybody, ours) = match self.verbose {
            0 => (log::LevelFilter::Warn, log::LevelFilter::Warn),
            1 => (log::LevelFilter::Warn, log::LevelFilter::Debug),
            _ => (log::LevelFilter::Trace, log::LevelFilter::Trace),
        };
        env_logger::Builder::new()
            .filter_level(everybody)
            .filter_module("modeswitch", ours)
            .filter_module("profiler_ebpf", ours)
            .format(|out, record| {
                let message = record.args().to_string();
                writeln!(
                    out,
                    "[{:<5}] {}",
                    record.level(),
                    untrusted::lines(&message)
                )
            })
            .init();
    }
}
