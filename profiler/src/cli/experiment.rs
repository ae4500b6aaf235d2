//! `modeswitch experiment`.

use std::{ffi::OsString, io::IsTerminal, time::Duration};

use anyhow::Result;
use clap::Args;

use super::{
    options::OutputOptions,
    output::{self, Shown},
    values::duration,
};
use crate::{
    exit_code,
    experiment::{
        execute::{Design, Progress, execute},
        model::Experiment,
    },
    probe::{
        backend::BackendChoice,
        settings::{Extras, FAULT_PAGES, FaultLevel, Filter, LEDGER_ROWS, Settings, StackPolicy},
    },
    report::{comparison, style::Look},
};

/// Runs the in-tree polling workload with a lazily touched block bitmap and
/// with a prefaulted one, in turn, and compares kernel entries, throughput and
/// latency.
#[derive(Args, Debug)]
pub struct ExperimentArgs {
    /// Runs of each variant. With fewer than three, differences are shown but
    /// not judged.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000),
          value_name = "N")]
    runs: u32,

    /// How long the steady state of each run lasts (5s, 200ms).
    #[arg(long, default_value = "3s", value_parser = duration, value_name = "TIME")]
    duration: Duration,

    /// Which probes to use.
    #[arg(long, value_enum, default_value_t, value_name = "BACKEND")]
    backend: BackendChoice,

    #[command(flatten)]
    result: OutputOptions,

    /// More options for the workload, behind `--`: see `modeswitch workload --help`.
    #[arg(last = true, value_name = "WORKLOAD OPTIONS")]
    workload: Vec<OsString>,
}

/// Carries the command out.
///
/// # Errors
/// [`crate::error::Error`] where the user can do something about it.
pub fn run(args: &ExperimentArgs, verbose: u8) -> Result<u8> {
    output::check(&args.result)?;
    let mut workload = vec![
        OsString::from("--duration"),
        OsString::from(format!("{}ms", args.duration.as_millis().max(1))),
    ];
    workload.extend(args.workload.iter().cloned());
    let design = Design {
        workload,
        runs: args.runs,
        settings: Settings {
            backend: args.backend,
            stacks: StackPolicy::Off,
            filter: Filter::Threads,
            faults: FaultLevel::Kind,
            fault_pages: FAULT_PAGES,
            io_uring: false,
            extras: Extras::default(),
            ledger_rows: LEDGER_ROWS,
            diagnostics: verbose > 0,
        },
    };
    let experiment = execute(&design, show_progress)?;
    output::deliver(&experiment, &args.result)?;
    Ok(exit_code::SUCCESS)
}

/// Says on a terminal which run is next. Once a run, before it: drawing while
/// it runs would disturb it.
fn show_progress(progress: Progress) {
    if std::io::stderr().is_terminal() {
        anstream::eprintln!(
            "run {} of {}: {}",
            progress.run,
            progress.of,
            progress.variant
        );
    }
}

impl Shown for Experiment {
    fn show(&self, look: Look, out: &mut dyn std::io::Write) -> std::io::Result<()> {
        comparison::write(self, look, out)
    }
}
