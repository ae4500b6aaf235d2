//! The summary's types, which are also its JSON form.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One run's result. What a writer leaves out is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct IoSummary {
    /// What was read, in words: a path, or the kind of target.
    pub target: String,
    /// What answers the reads; `None` where the writer does not say.
    pub served_by: Option<ServedBy>,
    /// Set-up flags of the ring that the kernel accepted, such as `SQPOLL`.
    pub flags: Vec<String>,
    /// `sqpoll-iopoll`, `sqpoll`, `iopoll` or `interrupt`.
    pub mode: String,
    /// I/Os completed in steady state, failed ones included.
    pub ios: u64,
    /// I/Os completed per second of steady state.
    pub iops: f64,
    /// I/Os of those that failed or fell short.
    pub errors: u64,
    /// Length of steady state, in nanoseconds.
    pub duration_ns: u64,
    /// Time from the start until steady state, in nanoseconds.
    pub setup_ns: u64,
    /// From the moment at which an I/O's batch was shown to the kernel until
    /// its completion was seen.
    pub latency_ns: LatencyNs,
    /// Bytes per I/O.
    pub block_size_bytes: u32,
    /// I/Os in flight at most.
    pub depth: u32,
    /// I/Os shown to the kernel at once.
    pub batch: u32,
    /// Seed of the random block numbers.
    pub seed: u64,
    /// Times that every block was read.
    pub passes: u64,
    /// `tsc`, or `monotonic` where the time stamp counter cannot be trusted.
    pub clock: String,
    /// Where the two threads ran.
    pub cpus: Cpus,
    /// The map of blocks already read.
    pub bitmap: BitmapSummary,
    /// Whether polling was really polling.
    pub polling: Polling,
    /// What could not be had, and what was done instead, in plain words.
    pub notes: Vec<String>,
}

/// What answers reads of a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ServedBy {
    /// A block device.
    Device {
        /// Its name: `nvme0n1`.
        device: String,
    },
    /// A file that has data from its beginning to its end.
    File {
        /// The device on which it lies; `None` where that is not one device.
        device: Option<String>,
    },
    /// A file of which some has data and the rest is holes.
    SparseFile {
        /// The device on which it lies; `None` where that is not one device.
        device: Option<String>,
        /// Bytes that have data.
        data_bytes: u64,
        /// Bytes that are read.
        bytes: u64,
    },
    /// A file of which all that is read is holes.
    Holes,
    /// Nothing is read: operations that do nothing.
    Nops,
}

impl ServedBy {
    /// The device that answers reads, or some of them.
    #[must_use]
    pub fn device(&self) -> Option<&str> {
        match self {
            Self::Device { device } => Some(device),
            Self::File { device } | Self::SparseFile { device, .. } => device.as_deref(),
            Self::Holes | Self::Nops => None,
        }
    }
}

impl fmt::Display for ServedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |device: &Option<String>| {
            let on = device
                .as_ref()
                .map(|device| format!("on the device {device}"));
            on.unwrap_or_else(|| "on no single device".to_owned())
        };
        match self {
            Self::Device { device } => write!(f, "the device {device}"),
            Self::File { device } => write!(f, "a file with data, {}", place(device)),
            Self::SparseFile {
                device,
                data_bytes,
                bytes,
            } => write!(
                f,
                "a file with data in {data_bytes} of {bytes} bytes, {}; reads of its holes are \
                 answered by the file system",
                place(device)
            ),
            Self::Holes => f.write_str(
                "a file of holes (reads of holes are answered by the file system; no device is \
                 involved)",
            ),
            Self::Nops => f.write_str("nothing (NOPs reach no device)"),
        }
    }
}

/// Latency percentiles in nanoseconds, exact to three digits; `None` where
/// there were too few I/Os for the percentile to have one beyond it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(default)]
pub struct LatencyNs {
    /// Median.
    pub p50: Option<u64>,
    /// 90 %.
    pub p90: Option<u64>,
    /// 99 %.
    pub p99: Option<u64>,
    /// 99.9 %.
    pub p999: Option<u64>,
    /// 99.99 %.
    pub p9999: Option<u64>,
    /// 99.999 %.
    pub p99999: Option<u64>,
    /// The longest.
    pub max: Option<u64>,
}

/// CPUs to which the two threads were bound.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Cpus {
    /// The thread that submits and reaps.
    pub user: u32,
    /// The kernel's submission thread; `None` if there is none or it is free.
    pub sq: Option<u32>,
}

/// The map of blocks already read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct BitmapSummary {
    /// As `--bitmap` has it: `lazy`, `prefault`, …
    pub kind: String,
    /// Pages in the map.
    pub pages: u64,
    /// Pages written in steady state. Of a lazy map each cost one page fault.
    pub pages_touched: u64,
    /// Pages populated before steady state; `None` in summaries of older writers.
    #[serde(default)]
    pub pages_populated: Option<u64>,
    /// Time that mapping it took (and populating, when prefaulted), in
    /// nanoseconds.
    pub populate_ns: u64,
}

/// Whether polling was really polling, in steady state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Polling {
    /// The kernel's submission thread, where there is one.
    pub sq_thread: Option<SqThread>,
    /// Who took the submissions from the ring.
    pub sqes_by: SqesBy,
    /// Calls of `io_uring_enter` that woke the submission thread.
    pub wakeups: u64,
    /// Calls of `io_uring_enter` of any kind, wake-ups included.
    pub enter_calls: u64,
    /// Interrupts of the target's device during steady state, whoever caused
    /// them; `None` where it has none or they cannot be told.
    pub device_irqs: Option<u64>,
}

/// The kernel's submission thread.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SqThread {
    /// Its name: `iou-sqp-<pid>`, `io_uring-sq` before 5.12.
    pub comm: String,
    /// Its thread id.
    pub tid: u32,
}

/// Submissions by who took them from the ring. By the rules of the ring, not
/// by a tracepoint: on an SQPOLL ring `io_uring_enter` never submits, on any
/// other nothing else does. `workload verify` shows that it is so.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct SqesBy {
    /// The kernel's submission thread.
    pub sq_thread: Option<u64>,
    /// Calls of `io_uring_enter`.
    pub enter: Option<u64>,
}
