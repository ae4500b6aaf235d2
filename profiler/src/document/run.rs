//! What was measured, how it ended, and what the profiler did meanwhile.

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};

use crate::named::{Name, Named};

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

/// What a process used, itself and all that it waited for: `getrusage(2)`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct ChildUsage {
    /// Page faults served without I/O. Counts faults that the kernel itself
    /// took on the process's behalf, which are no entries.
    pub minor_faults: u64,
    /// Page faults that waited for I/O.
    pub major_faults: u64,
    /// Times it gave up the CPU.
    pub voluntary_switches: u64,
    /// Times the CPU was taken from it.
    pub involuntary_switches: u64,
    /// CPU time in user mode.
    pub user_ns: u64,
    /// CPU time in the kernel.
    pub system_ns: u64,
}

/// The machine that a profile was taken on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Host {
    /// The kernel release, as `uname -r` prints it.
    pub kernel: String,
    /// The architecture.
    pub arch: String,
    /// CPUs online.
    pub cpus: u32,
    /// The kernel's command line.
    pub cmdline: String,
    /// The clock source in use, which decides whether reading the time is a
    /// system call. Null where the kernel does not say.
    pub clocksource: Option<String>,
    /// The preemption model in effect. Null where the kernel does not say.
    pub preemption: Option<String>,
    /// NUMA nodes online.
    pub numa_nodes: u32,
}
