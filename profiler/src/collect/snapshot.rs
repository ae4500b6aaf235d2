//! Everything that one measurement brought home, before it is interpreted.
//!
//! A snapshot can be saved and read again: all that follows works on it alone.

use std::collections::BTreeMap;

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};
use workload::summary::IoSummary;

use super::{
    allocations::{Allocation, AllocationStack},
    disturbance::DisturbanceRow,
    faults::FaultRecord,
    interruption::{PurposeRow, SenderRow},
    mappings::data::Mappings,
    timeline::TimelineRecord,
    user_code::CodeTable,
};
use crate::{
    kernel::{interrupts::Interrupts, version::Host},
    named::{Name, Named},
    probe::{backend::Families, settings::StackPolicy},
    sys::ChildUsage,
};

pub use crate::probe::session::ProgramStatus;

/// One row of the ledger as the programs keep it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The thread.
    pub tid: u32,
    /// Its incarnation.
    pub born: u32,
    /// The user instruction responsible, or 0.
    pub user_ip: u64,
    /// System-call number, page-fault detail, or vector, by `kind`.
    pub detail: u32,
    /// Return address of the entry stub. Exit probes only: else 0.
    pub slot: u64,
    /// The phase.
    pub phase: u16,
    /// The cause's code.
    pub kind: u8,
    /// Bits of `key_flags`.
    pub flags: u8,
    /// Entries.
    pub count: u64,
}

/// Stands for a frame that could not be kept.
pub const UNKNOWN_FRAME: u64 = 0;

/// One row of the stack ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackRow {
    /// What was counted; `user_ip` is 0 here.
    pub row: Row,
    /// Kernel frames, innermost first. Empty if the stack was lost.
    pub kernel: Vec<u64>,
    /// User frames, innermost first. Empty if the stack was lost.
    pub user: Vec<u64>,
}

/// Submissions to an io_uring in one phase.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmissionRow {
    /// The phase.
    pub phase: u16,
    /// Taken off the ring by the kernel's submission thread.
    pub by_sq_thread: u64,
    /// Taken off the ring in a system call.
    pub by_enter: u64,
}

/// One thread that was followed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// The thread.
    pub tid: u32,
    /// Its incarnation.
    pub born: u32,
    /// Its process.
    pub tgid: u32,
    /// Who created it, or 0 where that is not known.
    pub parent_tid: u32,
    /// Its name at its end, or now.
    pub comm: String,
    /// When it was first followed, by `CLOCK_MONOTONIC`.
    pub started_ns: u64,
    /// When it ended, or 0.
    pub ended_ns: u64,
}

/// How long one phase lasted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PhaseTime {
    /// The phase's number.
    pub number: u16,
    /// Its name.
    pub name: String,
    /// Time spent in it, or null where nobody saw it: `untimed` says why.
    pub duration_ns: Option<u64>,
    /// Whether the program kept the time, or the profiler looked now and then.
    pub exact: bool,
    /// Why its time is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub untimed: Option<Untimed>,
}

/// Why it is not known how long a phase lasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Untimed {
    /// The program kept no times, and the profiler's looks saw less of the phase
    /// than they can have missed.
    NotSeen,
    /// The program kept times, but none for this phase.
    NotKept,
    /// The times that the program kept are longer than the measurement.
    BeyondWindow,
}

impl Untimed {
    /// In words.
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self {
            Self::NotSeen => {
                "it was too short for the profiler to see, and the program stores the phase's \
                 number alone: mark it with modeswitch_phase_enter()"
            }
            Self::BeyondWindow => {
                "the times that the program kept are together longer than the measurement: mark \
                 with the modeswitch_phase_enter() of this version"
            }
            Self::NotKept => {
                "the program kept the times of other phases only: mark this one with \
                 modeswitch_phase_enter(), too"
            }
        }
    }
}

/// One stay in a phase.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct PhaseSpan {
    /// The phase's name.
    pub name: String,
    /// When it was entered, after the window's beginning.
    pub start_ns: u64,
    /// How long the stay was.
    pub duration_ns: u64,
    /// Whether the program kept the time. If not, the profiler looked now and
    /// then, or the order of short stays between two looks is assumed.
    pub exact: bool,
}

/// What was measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Target {
    /// The command and its arguments. Empty where nothing was launched.
    pub command: Vec<String>,
    /// The process, if there was one.
    pub pid: Option<u32>,
    /// The CPUs that it was confined to, or that were measured.
    pub cpus: Option<Vec<u32>>,
    /// The user that it ran as.
    pub user: Option<String>,
}

/// What cut a measurement short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interruption {
    /// The time that was given for it was over: as asked for.
    Duration,
    /// A signal to the profiler.
    Signal(Signal),
}

impl Name for Interruption {
    fn name(self) -> &'static str {
        match self {
            Self::Duration => "duration",
            Self::Signal(signal) => signal.as_str(),
        }
    }

    fn of(name: &str) -> Option<Self> {
        if name == Self::Duration.name() {
            return Some(Self::Duration);
        }
        name.parse().ok().map(Self::Signal)
    }
}

/// How the measurement ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Ending {
    /// The command's exit status, if it ended by itself.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
    /// What cut the measurement short: a signal's name, or `duration`. Null if
    /// nothing did.
    pub interrupted_by: Option<Named<Interruption>>,
    /// Processes of the command that were still running at the end.
    pub left_running: usize,
}

/// When it was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Beginning, nanoseconds since 1970.
    pub start_unix_ns: u64,
    /// Length.
    pub duration_ns: u64,
}

/// The profiler's own part in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Own {
    /// The CPUs that the profiler kept itself to.
    pub cpus: Vec<u32>,
    /// The CPU, if it was only one.
    pub cpu: Option<u32>,
    /// Its own entries into the kernel: null, since it does not count itself.
    pub entries: Option<u64>,
    /// Whether those are apart from the target's.
    pub apart: bool,
    /// CPU time that the profiler used during the window.
    pub cpu_ns: u64,
    /// CPU time that the profiler used in all until there was something to report:
    /// for preparations, for reading out and for names, helpers included.
    #[serde(default)]
    pub all_cpu_ns: u64,
}

/// The whole of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Snapshot {
    /// The ledger.
    pub rows: Vec<Row>,
    /// Entries whose row did not fit, by the cause's code.
    pub overflow: BTreeMap<u8, u64>,
    /// What could not be kept, by reason.
    pub losses: BTreeMap<String, u64>,
    /// Stacks, if they were asked for.
    pub stacks: Vec<StackRow>,
    /// Threads.
    pub threads: Vec<Thread>,
    /// What became of each program.
    pub programs: Vec<ProgramStatus>,
    /// Which families of probes were attached.
    pub families: Families,
    /// Why.
    pub backend_reason: String,
    /// Which stacks were taken.
    pub stack_policy: StackPolicy,
    /// Phase times.
    pub phases: Vec<PhaseTime>,
    /// When.
    pub window: Window,
    /// What.
    pub target: Target,
    /// How it ended.
    pub ending: Ending,
    /// The machine.
    pub host: Host,
    /// `/proc/interrupts` at the beginning.
    pub interrupts_before: Interrupts,
    /// `/proc/interrupts` at the end.
    pub interrupts_after: Interrupts,
    /// What the kernel says that the command used.
    pub usage: Option<ChildUsage>,
    /// Kernel functions for the addresses in this snapshot: name and offset.
    pub kernel_symbols: BTreeMap<u64, (String, u64)>,
    /// What was mapped where and when in the target's processes.
    #[serde(default)]
    pub mappings: Mappings,
    /// Calls that made memory.
    #[serde(default)]
    pub allocations: Vec<Allocation>,
    /// The call chains behind them.
    #[serde(default)]
    pub allocation_stacks: Vec<AllocationStack>,
    /// Calls that made memory and that there was no room for.
    #[serde(default)]
    pub allocations_not_kept: u64,
    /// The target's code for the addresses in this snapshot.
    #[serde(default)]
    pub code: CodeTable,
    /// What the program said of its own work.
    pub io: Option<IoSummary>,
    /// What was kept of page faults, besides the ledger.
    #[serde(default)]
    pub faults: FaultRecord,
    /// Submissions to an io_uring, if they were to be counted.
    pub submissions: Option<Vec<SubmissionRow>>,
    /// By block device: whether its driver has poll queues.
    #[serde(default)]
    pub poll_queues: BTreeMap<String, bool>,
    /// What interrupts were for.
    #[serde(default)]
    pub purposes: Vec<PurposeRow>,
    /// Who sent interrupts, if that was asked and can be seen here.
    #[serde(default)]
    pub senders: Option<Vec<SenderRow>>,
    /// What else measured CPUs did, if that was asked.
    #[serde(default)]
    pub disturbances: Option<Vec<DisturbanceRow>>,
    /// What the command wrote to its standard error, if that was kept.
    pub errors: String,
    /// The profiler's own part.
    pub own: Own,
    /// What memory the command held, if anybody looked.
    #[serde(default)]
    pub memory: Option<ProcessMemory>,
    /// What became of locking its memory, if that was asked for.
    #[serde(default)]
    pub prefault: Option<Prefaulted>,
    /// Stays in phases, in order of time.
    #[serde(default)]
    pub phase_spans: Vec<PhaseSpan>,
    /// What had been counted when, if that was asked for.
    #[serde(default)]
    pub timeline: Option<TimelineRecord>,
}

/// Memory of the command and its processes, as last seen: looked at every 50 ms
/// for the command itself and less and less often, at last every second, for
/// what it has created; and as they end, where they are followed for prefaulting.
/// Otherwise null of runs of less than half a second.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct ProcessMemory {
    /// Resident at most, in bytes: each process's own peak, added up.
    pub resident_bytes: u64,
    /// Locked at most, in bytes. The kernel keeps no peak of it: it is exact of a
    /// process whose memory modeswitch locked, as its most that was mapped less what
    /// cannot be locked. Of others it is what was seen, and null of short runs.
    pub locked_bytes: Option<u64>,
    /// Private and writable at most, in bytes, whether populated or not.
    pub writable_bytes: u64,
    /// What populating all of it would have taken at most, in bytes: the most that
    /// was mapped, less what nobody could access in the end. Null if it was not
    /// looked at in the end.
    #[serde(default)]
    pub populatable_bytes: Option<u64>,
}

/// What became of locking a command's memory from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Prefaulted {
    /// Programs whose memory was locked, in order.
    pub locked: Vec<String>,
    /// What had to be changed for it.
    pub changed: Vec<String>,
    /// Why the command was left as it was, if it was.
    pub refused: Option<String>,
    /// Why some of its children were.
    pub refused_children: Vec<String>,
    /// How the kernel killed the command for want of memory, if it did.
    #[serde(default)]
    pub out_of_memory: Option<String>,
}
