//! `cargo xtask bench`: what measuring costs, and what the workload achieves.
//!
//! Machines are noisy and differ, so nothing is compared with a number from
//! another day: all contestants run in turn within one call, and what is judged
//! are ratios of their medians.

mod aa;
mod getppid;
mod overhead;
mod throughput;
mod tools;

use anyhow::{Result, bail};

/// Compare the cost of measuring, and the workload's speed, with others'
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Only what measuring costs, or only what the workload achieves
    #[arg(value_enum)]
    only: Option<Part>,

    /// How often each contestant has its turn
    #[arg(long, default_value_t = 9, value_parser = clap::value_parser!(u32).range(3..))]
    rounds: u32,

    /// The CPU to measure on. Default: the last one
    #[arg(long)]
    cpu: Option<usize>,

    /// Experiments of `aa`, of 20 runs against 20 each
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(20..=1000))]
    experiments: u32,
}

/// What can be benchmarked.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// Nanoseconds that each counted system call costs more
    Overhead,
    /// I/Os per second beside fio
    Throughput,
    /// How often an experiment that compares a program with itself finds a
    /// difference. Takes minutes, and is done only if asked for
    Aa,
}

/// Runs the benchmarks, prints their tables, and fails if a target is missed.
pub(crate) fn run(options: &Options) -> Result<()> {
    let cpu = options.cpu.unwrap_or_else(tools::last_cpu);
    let modeswitch = tools::modeswitch()?;
    if options.only == Some(Part::Aa) {
        return aa::run(&modeswitch, options.experiments);
    }
    let mut missed = Vec::new();
    if options.only != Some(Part::Throughput) {
        missed.extend(overhead::run(&modeswitch, cpu, options.rounds)?);
    }
    if options.only != Some(Part::Overhead) {
        missed.extend(throughput::run(&modeswitch, cpu, options.rounds)?);
    }
    if !missed.is_empty() {
        bail!("targets missed:\n  {}", missed.join("\n  "));
    }
    Ok(())
}

/// The hidden command that runs the loop being measured.
#[derive(clap::Args)]
pub(crate) struct LoopOptions {
    /// The CPU to run on
    cpu: usize,
}

/// Runs the loop whenever it is asked to.
pub(crate) fn run_loop(options: &LoopOptions) -> Result<()> {
    getppid::serve(options.cpu)
}
