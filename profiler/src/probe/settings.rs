//! What a measurement asks of the probes.

use profiler_common::{config::stack_kinds, fault_config::level};

use super::backend::BackendChoice;
pub use crate::document::probes::StackPolicy;
use crate::kernel::numa::balancing_is_off;

impl StackPolicy {
    /// Every how many entries of a row a stack is taken; 0 for never.
    #[must_use]
    pub const fn interval(self) -> u32 {
        match self {
            Self::Off => 0,
            Self::Sample => 64,
            Self::User | Self::All => 1,
        }
    }

    /// Which stacks are taken, as the programs know it.
    #[must_use]
    pub const fn kinds(self) -> u32 {
        match self {
            Self::Off => 0,
            Self::User => stack_kinds::USER,
            Self::Sample | Self::All => stack_kinds::USER | stack_kinds::KERNEL,
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
    /// How often the counts are read while they grow, if at all.
    pub timeline: Option<std::time::Duration>,
}

/// How far page faults are looked into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum FaultLevel {
    /// Count them only: the cheapest.
    Count,
    /// Also record why: first touch, copy-on-write, NUMA hint, …
    Kind,
    /// Also record which pages of which mapping.
    #[default]
    Pages,
}

impl FaultLevel {
    /// The number that the programs know.
    #[must_use]
    pub const fn code(self) -> u32 {
        match self {
            Self::Count => level::COUNT,
            Self::Kind => level::KIND,
            Self::Pages => level::PAGES,
        }
    }

    /// The name in reports and documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Kind => "kind",
            Self::Pages => "pages",
        }
    }
}

/// Pages with faults that there is room for unless asked otherwise: 1 GiB touched
/// page by page. Takes about 30 MB, with the room for mappings.
pub const FAULT_PAGES: u32 = 262_144;
/// Pages for each mapping that there is room for.
const PAGES_PER_MAPPING: u32 = 8;

/// The probes' settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which family of probes.
    pub backend: BackendChoice,
    /// Which stacks.
    pub stacks: StackPolicy,
    /// Whose entries.
    pub filter: Filter,
    /// How far page faults are looked into.
    pub faults: FaultLevel,
    /// Pages with faults that there is room for.
    pub fault_pages: u32,
    /// Whether submissions to an io_uring are counted.
    pub io_uring: bool,
    /// What else is to be looked at.
    pub extras: Extras,
    /// Rows that the ledger has room for.
    pub ledger_rows: u32,
    /// Whether the programs' own diagnostics are wanted.
    pub diagnostics: bool,
}

impl Settings {
    /// Whether NUMA-hint faults are to be compared with the kernel's count of them:
    /// not where there are none, and not for CPUs, which are nobody whose they could
    /// be.
    #[must_use]
    pub fn wants_numa_hints(&self) -> bool {
        self.filter == Filter::Threads
            && self.faults != FaultLevel::Count
            && balancing_is_off().is_none()
    }

    /// Mappings with faults that there is room for.
    #[must_use]
    pub fn fault_mappings(&self) -> u32 {
        (self.fault_pages / PAGES_PER_MAPPING).max(1)
    }
}
