//! What a measurement asks of the probes.

use super::backend::BackendChoice;

/// How many of the entries have their stacks taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum StackPolicy {
    /// None: the cheapest.
    #[default]
    Off,
    /// The first and then every 64th entry of each row of the ledger.
    Sample,
    /// Every entry. Costs about twenty times the count.
    All,
}

impl StackPolicy {
    /// Every how many entries of a row a stack is taken; 0 for never.
    #[must_use]
    pub const fn interval(self) -> u32 {
        match self {
            Self::Off => 0,
            Self::Sample => 64,
            Self::All => 1,
        }
    }

    /// The name in reports and documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Sample => "sample",
            Self::All => "all",
        }
    }
}

/// Whose entries are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Threads put into the thread table, and all they create.
    Threads,
    /// Whatever runs on these CPUs, the profiler excepted.
    Cpus(Vec<u32>),
}

/// Rows that the ledger has room for unless asked otherwise: 10,000 threads that
/// enter the kernel in 25 different ways each. Takes about 25 MB.
pub const LEDGER_ROWS: u32 = 262_144;

/// What is looked at only when asked for, since it costs something for every
/// interrupt sent or every task switch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extras {
    /// Who sends interrupts to the CPUs of measured threads.
    pub senders: bool,
    /// What else those CPUs do while a measured thread has or wants them.
    pub disturbance: bool,
}

/// The probes' settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which family of probes.
    pub backend: BackendChoice,
    /// Which stacks.
    pub stacks: StackPolicy,
    /// Whose entries.
    pub filter: Filter,
    /// Whether submissions to an io_uring are counted.
    pub io_uring: bool,
    /// What else is to be looked at.
    pub extras: Extras,
    /// Rows that the ledger has room for.
    pub ledger_rows: u32,
    /// Whether the programs' own diagnostics are wanted.
    pub diagnostics: bool,
}
