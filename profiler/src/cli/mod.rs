//! The command line: syntax only. What it means is decided in each command.

pub mod attach;
pub mod check;
pub mod compare;
pub mod dispatch;
mod document;
pub mod documentation;
pub mod experiment;
pub mod options;
pub mod output;
pub mod report;
pub mod run;
pub mod schema;
pub mod snapshot;
pub mod values;
pub mod workload;

use std::io::Write;

use anstream::ColorChoice;
use clap::{Parser, Subcommand, ValueEnum};
use log::LevelFilter;

use crate::untrusted;

/// Columns of every help text, whatever the terminal: examples are not wrapped.
const COLUMNS: usize = 80;

/// Worked examples, shown under the help.
const EXAMPLES: &str = "\
Measuring needs root, or the capabilities that modeswitch names without it.

Examples:
  modeswitch run ./server --port 80
      count the kernel entries of a command by cause, thread and code
  modeswitch run --cpu 3 --save before.json ./poller
      pin it to CPU 3, and save the profile
  modeswitch report before.json
      print a saved profile, on any machine, without privileges
  modeswitch experiment
      compare the in-tree polling workload with its memory lazy and prefaulted";

/// What `--version` prints: which source and which eBPF programs this is.
const LONG_VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\ncommit ",
    env!("MODESWITCH_GIT"),
    "\neBPF object sha256:",
    env!("MODESWITCH_BPF_SHA256")
);

/// Count every kernel entry of a program and attribute it to its cause.
#[derive(Parser, Debug)]
#[command(name = "modeswitch", version, long_version = LONG_VERSION, after_help = EXAMPLES, term_width = COLUMNS)]
pub struct Cli {
    /// Increase log verbosity: -v shows what the eBPF programs report, -vv
    /// everything. Without it, `RUST_LOG` says what is logged.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// Print no progress and no warnings, only results and errors.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,

    /// When to use colour: auto, always or never.
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
#[expect(
    missing_docs,
    reason = "the help of a command is what its arguments say"
)]
pub enum Command {
    Run(run::RunArgs),
    Attach(attach::AttachArgs),
    Cpu(attach::CpuArgs),
    Experiment(experiment::ExperimentArgs),
    Compare(compare::CompareArgs),
    Check(check::CheckArgs),
    Report(report::ReportArgs),
    Workload(::workload::cli::WorkloadArgs),
    Schema(schema::SchemaArgs),
    Completions(documentation::CompletionsArgs),
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
