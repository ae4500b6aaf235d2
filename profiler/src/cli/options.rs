//! Options that several commands share.

use std::{marker::PhantomData, path::PathBuf, time::Duration};

use clap::Args;

use super::values::{duration, timeline_interval};
use crate::{
    probe::{
        backend::BackendChoice,
        settings::{Extras, FAULT_PAGES, FaultLevel, Filter, LEDGER_ROWS, Settings, StackPolicy},
    },
    profile::merge::programs::By,
    report::{export::Shown, format::Format},
};

/// The family of probes.
#[derive(Args, Clone, Debug)]
pub struct FamilyOptions {
    /// Kernel hooks to use.
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "BACKEND",
        help_heading = "Measuring"
    )]
    pub backend: BackendChoice,
}

/// How to measure.
#[derive(Args, Clone, Debug)]
pub struct ProbeOptions {
    /// The family of probes.
    #[command(flatten)]
    pub family: FamilyOptions,

    /// Which kernel and user stacks to record.
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "POLICY",
        help_heading = "Measuring"
    )]
    pub stacks: StackPolicy,

    /// How much to record about page faults.
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "LEVEL",
        help_heading = "Measuring"
    )]
    pub faults: FaultLevel,

    /// Maximum pages with faults to record, 100 bytes each; faults on further pages
    /// are counted by mapping.
    #[arg(long, default_value_t = FAULT_PAGES, value_parser = clap::value_parser!(u32).range(1..=1 << 26),
          value_name = "N", help_heading = "Measuring")]
    pub fault_pages: u32,

    /// Also count who submits the I/O of an io_uring: its kernel thread or a system
    /// call. Adds some cost to each I/O.
    #[arg(long, help_heading = "Measuring")]
    pub io_uring: bool,

    /// Also show who sends the interrupts: thread, system call and kernel function.
    /// Adds some cost to each task switch and each interrupt sent.
    #[arg(long, help_heading = "Measuring")]
    pub senders: bool,

    /// Also time what else the CPUs of the measured threads do: other tasks,
    /// interrupts, softirqs. Adds some cost to each of them.
    #[arg(long, help_heading = "Measuring")]
    pub disturbance: bool,

    /// Also record the counts over time, in slots of INTERVAL (default 100ms, at
    /// least 10ms). Adds no cost to an entry.
    #[arg(long, value_parser = timeline_interval, value_name = "INTERVAL", num_args = 0..=1,
          require_equals = true, default_missing_value = "100ms", help_heading = "Measuring")]
    pub timeline: Option<Duration>,

    /// Maximum ledger rows: one for each thread and way into the kernel.
    #[arg(long, default_value_t = LEDGER_ROWS, value_parser = clap::value_parser!(u32).range(1..=1 << 26),
          value_name = "N", help_heading = "Measuring")]
    pub ledger_rows: u32,

    /// Stop measuring after this time (5s, 200ms, 1m). A command that still runs gets
    /// SIGTERM, and SIGKILL 5 s later; neither is counted. An attached process keeps
    /// running.
    #[arg(long, value_parser = duration, value_name = "TIME", help_heading = "Measuring")]
    pub duration: Option<Duration>,
}

impl ProbeOptions {
    /// The probes' settings.
    #[must_use]
    pub fn settings(&self, filter: Filter) -> Settings {
        Settings {
            backend: self.family.backend,
            stacks: self.stacks,
            filter,
            faults: self.faults,
            fault_pages: self.fault_pages,
            io_uring: self.io_uring,
            extras: Extras {
                senders: self.senders,
                disturbance: self.disturbance,
                timeline: self.timeline,
            },
            ledger_rows: self.ledger_rows,
            diagnostics: log::log_enabled!(log::Level::Debug),
        }
    }
}

/// Where a result goes. Its format is an option of each command, since commands
/// have different ones.
#[derive(Args, Clone, Debug, Default)]
pub struct Destination {
    /// Write the result to FILE, in the format that --format names, instead of
    /// standard output (`-`).
    #[arg(short, long, value_name = "FILE", help_heading = "Result")]
    pub output: Option<PathBuf>,

    /// Also save the JSON document in FILE (`-`: standard output), for `report`,
    /// `compare` and `check`.
    #[arg(long, value_name = "FILE", help_heading = "Result")]
    pub save: Option<PathBuf>,
}

/// What to do with the result of a measurement.
#[derive(Args, Clone, Debug)]
pub struct OutputOptions<T: Shown> {
    /// Format of the result; a table unless given.
    #[arg(long, value_parser = T::KIND.format_parser(), value_name = "FORMAT",
          help_heading = "Result")]
    pub format: Option<Format>,

    /// Where it goes.
    #[command(flatten)]
    pub to: Destination,

    /// What the result is.
    #[arg(skip)]
    pub of: PhantomData<T>,
}

/// What rows are of.
#[derive(Args, Clone, Copy, Debug)]
pub struct RowOptions {
    /// What rows of code and memory are of: all processes of one name, or one process.
    /// For tables, Markdown and HTML; other formats have every process.
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "OWNER",
        help_heading = "Result"
    )]
    pub by: By,
}
