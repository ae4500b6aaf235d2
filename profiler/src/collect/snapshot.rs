//! Everything that one measurement brought home, before it is interpreted.
//!
//! Each collector returns its own part, and nothing changes a snapshot once it
//! was taken. It can be saved and read again: all that follows works on it alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    allocations::AllocationCalls, counts::Counts, faults::FaultRecord, interruption::Interruptions,
    kernel_symbols::KernelSymbols, mappings::data::Mappings, phases::PhaseRecord, threads::Thread,
    timeline::TimelineRecord,
};
use crate::{
    document::run::{ChildUsage, Ending, Host, Prefaulted, ProcessMemory, Target},
    kernel::interrupts::Interrupts,
    probe::{settings::StackPolicy, status::Probes},
};

/// When it was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Beginning, nanoseconds since 1970.
    pub start_unix_ns: u64,
    /// Length.
    pub duration_ns: u64,
}

/// The run: what was measured, when, and what became of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Run {
    /// What.
    pub target: Target,
    /// When.
    pub window: Window,
    /// How it ended.
    pub ending: Ending,
    /// What the kernel says that the command used.
    pub usage: Option<ChildUsage>,
    /// What the command wrote to its standard error, if that was kept.
    pub errors: String,
    /// What memory the command held, if anybody looked.
    pub memory: Option<ProcessMemory>,
    /// What became of locking its memory, if that was asked for.
    pub prefault: Option<Prefaulted>,
    /// Which stacks were asked for.
    pub stack_policy: StackPolicy,
    /// The profiler's own part.
    pub profiler: ProfilerRun,
}

/// The profiler while it measured.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ProfilerRun {
    /// The CPUs that it kept itself to.
    pub cpus: Vec<u32>,
    /// Whether those are apart from the target's.
    pub is_apart: bool,
    /// CPU time that it used during the window.
    pub cpu_ns: u64,
}

/// The machine.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Machine {
    /// What it is.
    pub host: Host,
    /// `/proc/interrupts` at the beginning.
    pub interrupts_before: Interrupts,
    /// `/proc/interrupts` at the end.
    pub interrupts_after: Interrupts,
    /// By block device: whether its driver has poll queues.
    pub poll_queues: BTreeMap<String, bool>,
}

/// The whole of it, by who collected it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Snapshot {
    /// The run.
    pub run: Run,
    /// The machine.
    pub machine: Machine,
    /// The programs.
    pub probes: Probes,
    /// The ledger and all that is counted beside it.
    pub counts: Counts,
    /// Threads.
    pub threads: Vec<Thread>,
    /// Phases.
    pub phases: PhaseRecord,
    /// What was mapped where and when in the target's processes.
    pub mappings: Mappings,
    /// Calls that made memory.
    pub allocations: AllocationCalls,
    /// What was kept of page faults, besides the ledger.
    pub faults: FaultRecord,
    /// What is known of interrupts, besides their number.
    pub interruptions: Interruptions,
    /// What had been counted when, if that was asked for.
    pub timeline: Option<TimelineRecord>,
    /// Kernel functions for the addresses in this snapshot.
    pub kernel_symbols: KernelSymbols,
}
