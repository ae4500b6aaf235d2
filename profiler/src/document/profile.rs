//! The profile document, schema 1.
//!
//! The only definition of the JSON that modeswitch writes and reads. Fields may
//! be added; none may be renamed. A value that could not be had is null, and
//! [`Accounting::unavailable`] says why.

use std::collections::BTreeMap;

use profiler_common::loss::Loss;
use serde::{Deserialize, Serialize};
use workload::summary::IoSummary;

pub use super::{
    code::{AllocationRow, CodeRow, UserStack},
    interrupts::{Disturbance, Purpose, Sender},
    memory::{MappingRow, Memory},
    phase::{PhaseSpan, PhaseTime, Untimed},
    probes::{BackendName, StackPolicy},
    run::{ChildUsage, Ending, Host, Own, Prefaulted, ProcessMemory, Target},
    timeline::{Timeline, TimelineRow},
};
pub use crate::{
    gap::Unavailable,
    named::{CauseName, Named},
};

/// The version of this document that we write.
pub const SCHEMA_VERSION: u32 = 1;

/// One run.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Profile {
    /// [`SCHEMA_VERSION`] of the writer.
    pub schema_version: u32,
    /// Who wrote it.
    pub tool: Tool,
    /// Where it was measured.
    pub host: Host,
    /// What was measured.
    pub target: Target,
    /// How it was measured.
    pub backend: Backend,
    /// When.
    pub window: Window,
    /// How it ended.
    pub exit: Ending,
    /// The counts.
    pub ledger: Ledger,
    /// Page faults by what memory they hit.
    pub memory: Memory,
    /// What the program said of its own work, or null if it said nothing.
    pub io: Option<IoSummary>,
    /// Whether polling was really polling, or null if that was not asked.
    #[serde(default)]
    pub polling: Option<Polling>,
    /// Who sent the interrupts, most frequent first, or null if that was not
    /// asked or cannot be seen here.
    #[serde(default)]
    pub senders: Option<Vec<Sender>>,
    /// What else the CPUs of measured threads did, longest first, or null if
    /// that was not asked.
    #[serde(default)]
    pub disturbance: Option<Vec<Disturbance>>,
    /// What stands behind the counts.
    pub accounting: Accounting,
    /// What could be done about it.
    pub advice: Vec<Advice>,
    /// What became of locking its memory from outside, or null if that was not
    /// asked for.
    #[serde(default)]
    pub prefault: Option<Prefaulted>,
    /// Entries over time, or null if that was not asked for.
    #[serde(default)]
    pub timeline: Option<Timeline>,
    /// How many runs these are the sums of: 1, unless profiles were merged.
    #[serde(default = "one_run")]
    pub runs: u64,
}

/// What a document that does not say so holds.
const fn one_run() -> u64 {
    1
}

/// The program that wrote a profile.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Tool {
    /// Always `modeswitch`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The commit it was built from, or `unknown`.
    pub git: String,
}

/// The probes in use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Backend {
    /// `tracepoint`, `fentry`, `kprobe` or `audit`.
    pub name: Named<BackendName>,
    /// The function watched on the way out, if there was one.
    pub probe: Option<String>,
    /// Why this backend.
    pub reason: String,
    /// Which stacks were taken: `off`, `sample` or `all`.
    pub stacks: Named<StackPolicy>,
}

/// The time measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Window {
    /// Beginning, RFC 3339, UTC.
    pub start: String,
    /// Length.
    pub duration_ns: u64,
    /// The phases, and how long each lasted. Empty if the program marked none.
    pub phases: Vec<PhaseTime>,
    /// When the program was in which phase, in order of time. Empty if it marked
    /// none.
    #[serde(default)]
    pub phase_spans: Vec<PhaseSpan>,
}

/// The counts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Ledger {
    /// All entries.
    pub total: u64,
    /// The two rates that everyone understands.
    pub rates: Rates,
    /// By cause and detail, most frequent first.
    pub by_cause: Vec<CauseRow>,
    /// By thread, in the order in which they began.
    pub by_thread: Vec<ThreadRow>,
    /// Page faults and system calls by the instruction responsible.
    pub by_code: Vec<CodeRow>,
    /// Kernel stacks, most frequent first, if they were taken.
    pub kernel_stacks: Vec<KernelStack>,
    /// User stacks, most frequent first, if they were taken.
    #[serde(default)]
    pub user_stacks: Vec<UserStack>,
}

/// Entries in proportion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Rates {
    /// Entries per second over the whole window.
    pub per_second: f64,
    /// Entries in steady state, or null if none was marked.
    pub steady_total: Option<u64>,
    /// Entries per second in steady state, or null if none was marked or its time
    /// is not known.
    pub steady_per_second: Option<f64>,
    /// Entries per million I/Os in steady state, or null if no I/Os are known.
    pub steady_per_million_ios: Option<f64>,
}

/// Entries of one cause.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CauseRow {
    /// `syscall`, `page_fault`, `interrupt`, `nmi`, `exception`, `new_task` or
    /// `unclassified`.
    pub cause: CauseName,
    /// The name within it.
    pub detail: String,
    /// Entries.
    pub count: u64,
    /// Entries by phase.
    pub phases: BTreeMap<String, u64>,
    /// Entries per second over the whole window.
    pub per_second: f64,
    /// Time in the kernel, or null where it was not measured.
    pub time_ns: Option<Time>,
    /// What interrupts of this row were for. The counts add up to the row's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purposes: Vec<Purpose>,
    /// Page faults by access: `read`, `write`, `exec`. Empty for other causes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub accesses: BTreeMap<String, u64>,
    /// Page faults that had to be waited for; null for other causes, and where
    /// it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub major: Option<u64>,
}

/// Time in the kernel.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Time {
    /// Sum.
    pub total: u64,
    /// Median.
    pub p50: u64,
    /// 99th percentile.
    pub p99: u64,
    /// Longest.
    pub max: u64,
}

/// Entries of one thread.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ThreadRow {
    /// The thread.
    pub tid: u32,
    /// Its process.
    pub tgid: u32,
    /// Its name.
    pub comm: String,
    /// Entries.
    pub total: u64,
    /// By cause and detail, most frequent first.
    pub by_cause: Vec<ThreadCauseRow>,
}

/// Entries of one cause in one thread.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ThreadCauseRow {
    /// As in [`CauseRow`].
    pub cause: CauseName,
    /// As in [`CauseRow`].
    pub detail: String,
    /// Entries.
    pub count: u64,
    /// Entries by phase.
    pub phases: BTreeMap<String, u64>,
    /// As in [`CauseRow`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purposes: Vec<Purpose>,
}

/// How often one kernel stack was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct KernelStack {
    /// As in [`CauseRow`].
    pub cause: CauseName,
    /// As in [`CauseRow`].
    pub detail: String,
    /// Times seen. With the `sample` policy, not the number of entries.
    pub count: u64,
    /// Frames, innermost first: `function+offset`.
    pub frames: Vec<String>,
}

/// Evidence of polling: in steady state if one was marked, else in the whole run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Polling {
    /// The phase that the counts are from, or null for the whole run.
    pub phase: Option<String>,
    /// Submissions taken off the ring by the kernel's thread, or null where
    /// this kernel does not tell whose thread it is.
    pub sqes_by_sq_thread: Option<u64>,
    /// Submissions taken off the ring in a system call.
    pub sqes_by_enter: u64,
    /// Calls of `io_uring_enter`, of any kind.
    pub enter_calls: u64,
    /// Interrupts of devices in the whole run, whoever caused them.
    pub device_irqs: BTreeMap<String, u64>,
    /// By block device: whether its driver has poll queues (`queue/io_poll`).
    #[serde(default)]
    pub poll_queues: BTreeMap<String, bool>,
    /// What follows from the evidence, a sentence for each claim.
    #[serde(default)]
    pub findings: Vec<String>,
}

/// What stands behind the counts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Accounting {
    /// Events that the kernel did not show to a program.
    pub misses: Vec<Miss>,
    /// Entries counted without thread, phase and detail, for want of room.
    pub map_full: u64,
    /// Stacks that could not be taken.
    pub stacks_lost: u64,
    /// Entries whose cause is not known.
    pub unclassified: u64,
    /// Why the counts are a lower bound, a sentence for each reason. Empty: they
    /// are exact.
    #[serde(default)]
    pub inexact: Vec<String>,
    /// What kind each of these reasons is: `missed`, `lost`, `ledger_full`,
    /// `audit`, `cross_check`, `unclassified`, `unavailable`, `nothing_counted`,
    /// or `other`.
    #[serde(default)]
    pub inexact_codes: Vec<String>,
    /// Everything that could not be kept, by reason.
    pub losses: BTreeMap<String, u64>,
    /// Returns against entries, where both were counted.
    pub audit: Option<Audit>,
    /// The counts beside what others say.
    pub cross_checks: Vec<CrossCheck>,
    /// The profiler's own part.
    #[serde(rename = "self")]
    pub own: Own,
    /// What the kernel says that the command used, or null if it was not ours.
    pub usage: Option<ChildUsage>,
    /// What this run cannot tell, and why.
    pub unavailable: Vec<Unavailable>,
}

/// Calls that made memory and for whose details there was no room: their entries are
/// counted, and a gap says how many sites are missing.
const OF_ALLOCATIONS: [&str; 2] = [Loss::AllocationLost.name(), "allocations_not_kept"];

impl Accounting {
    /// What could not be kept, by reason, if it is more than allocation sites.
    pub fn lost(&self) -> impl Iterator<Item = (&str, u64)> {
        let losses = self
            .losses
            .iter()
            .map(|(name, &count)| (name.as_str(), count));
        losses.filter(|(name, count)| *count != 0 && !OF_ALLOCATIONS.contains(name))
    }
}

/// What one program missed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Miss {
    /// The program.
    pub program: String,
    /// Events missed, or null where this kernel does not count them.
    pub count: Option<u64>,
}

/// Returns against entries, as far as both families of probes can see them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Audit {
    /// Returns counted by the exit probe.
    pub exits: u64,
    /// Entries counted by the tracepoints.
    pub entries: u64,
    /// The first less the second.
    pub difference: i64,
    /// What only one of the two can see. Not in the numbers above.
    #[serde(default)]
    pub one_sided: Vec<OneSided>,
}

/// Entries that only one family of probes can see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct OneSided {
    /// The cause.
    pub cause: CauseName,
    /// Its detail.
    pub detail: String,
    /// How many.
    pub count: u64,
    /// Why the other family does not see them.
    pub reason: String,
}

/// One of our counts beside an independent one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CrossCheck {
    /// What is compared.
    pub what: String,
    /// Our count.
    pub ours: u64,
    /// The other one.
    pub theirs: u64,
    /// Where the other one is from.
    #[serde(default)]
    pub source: String,
    /// How the two should relate, and whether they do.
    pub verdict: CheckVerdict,
    /// What the other one really counts.
    pub note: String,
}

/// Whether two counts agree.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum CheckVerdict {
    /// They are the same, as they should be.
    Consistent,
    /// The other one is an upper bound, and ours is not above it.
    NotContradicted,
    /// They do not: one of them is wrong.
    Inconsistent,
    /// They count different things and are shown side by side only.
    #[default]
    Informative,
}

/// Something that could be done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Advice {
    /// What was found.
    pub finding: String,
    /// The counts behind it.
    pub evidence: String,
    /// What to do.
    pub fix: String,
    /// How many entries that would save.
    pub expected_saving: String,
    /// The same as a number, by which advice is sorted: at most these entries.
    #[serde(default)]
    pub saves: u64,
}
