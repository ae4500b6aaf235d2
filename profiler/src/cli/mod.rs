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

use anstream::ColorChoice;
use clap::{Parser, Subcommand, ValueEnum};
use log::LevelFilter;

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

/// What `--version` prints: which source and which eBPF programs this is.
const LONG_VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\ncommit ",
    env!("MODESWITCH_GIT"),
    "\neBPF object sha256:",
    env!("MODESWITCH_BPF_SHA256")
);

/// Counts every entry of a program into the kernel, and names its cause.
#[derive(Parser, Debug)]
#[command(name = "modeswitch", version, long_version = LONG_VERSION, after_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    /// Increase log verbosity: -v shows what the eBPF programs report, -vv
    /// everything. Without it, `RUST_LOG` says what is logged.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// Print no progress and no warnings, only results and errors.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,

    /// When to use colour.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        hide_possible_values = true
    )]
    pub color: Color,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// When to use colour: auto, always or never.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Everywhere, in files too.
    Always,
    /// Nowhere.
    Never,
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
    /// Decides what standard error is told, and where colours are used.
    pub fn start_output(&self) {
        match self.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        }
        .write_global();
        let mut logger = env_logger::Builder::new();
        logger.filter_level(LevelFilter::Warn);
        match self.verbose {
            _ if self.quiet => logger.filter_level(LevelFilter::Error),
            0 => logger.parse_default_env(),
            1 => logger
                .filter_module("modeswitch", LevelFilter::Debug)
                .filter_module("profiler_ebpf", LevelFilter::Debug),
            _ => logger.filter_level(LevelFilter::Trace),
        };
        logger
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
