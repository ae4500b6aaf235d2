//! The experiment document.

use serde::{Deserialize, Serialize};
use workload::summary::{IoSummary, LatencyNs};

use crate::{
    named::CauseName,
    profile::model::{Profile, Tool},
    stats::{judgement::Judgement, spread::Spread},
};

/// What [`Experiment::kind`] says, so that the document is told from a profile.
pub const KIND: &str = "experiment";

/// One experiment.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Experiment {
    /// [`crate::profile::model::SCHEMA_VERSION`] of the writer.
    pub schema_version: u32,
    /// Always [`KIND`].
    pub kind: String,
    /// Who wrote it.
    pub tool: Tool,
    /// What was asked.
    pub question: String,
    /// The variants, the one to compare with first.
    pub variants: Vec<Variant>,
    /// The second variant beside the first.
    pub comparison: Comparison,
    /// Each further variant beside the first.
    #[serde(default)]
    pub further: Vec<Comparison>,
    /// How it was carried out and judged.
    #[serde(default)]
    pub method: Method,
    /// Runs unlike the others of their variant. They are part of every number.
    #[serde(default)]
    pub outliers: Vec<Outlier>,
    /// What cut it short, or null.
    #[serde(default)]
    pub interrupted: Option<Interrupted>,
    /// What follows from it, in words.
    pub conclusion: String,
}

impl Experiment {
    /// What the first run that says so has read.
    #[must_use]
    pub fn io(&self) -> Option<&IoSummary> {
        let mut runs = self.variants.iter().flat_map(|found| &found.profiles);
        runs.find_map(|run| run.io.as_ref())
    }

    /// Each variant beside the first.
    pub fn comparisons(&self) -> impl Iterator<Item = &Comparison> {
        std::iter::once(&self.comparison).chain(&self.further)
    }
}

/// How an experiment was carried out and judged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Method {
    /// Runs of each variant.
    pub runs: usize,
    /// Runs before those, which were thrown away.
    pub warm_up: u32,
    /// The chance, over all judged numbers together, of finding a difference
    /// where there is none.
    pub level: f64,
    /// Numbers judged: see [`super::compare::JUDGED`].
    pub judged: usize,
    /// The fewest runs of each variant with which any of them can differ.
    pub runs_needed: usize,
    /// Whether the numbers are of the marked steady state, or of whole runs.
    pub steady: bool,
}

/// An experiment that did not come to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Interrupted {
    /// The signal's name.
    pub by: String,
    /// Runs that had come to their end, of all variants, warming up included.
    /// The one that was interrupted is in no number.
    pub runs: u32,
    /// Runs that there should have been.
    pub of: u32,
}

/// A run unlike the others of its variant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Outlier {
    /// The variant.
    pub variant: String,
    /// Which of its runs, from 1.
    pub run: usize,
    /// In what.
    pub what: String,
    /// Its value there.
    pub value: f64,
    /// The variant's median.
    pub median: f64,
}

/// One variant and its runs.
#[derive(Clone, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// What it does differently.
    pub description: String,
    /// What was done for it, as it turned out.
    #[serde(default)]
    pub done: Vec<String>,
    /// Its runs, in order.
    pub profiles: Vec<Profile>,
}

/// Two variants side by side. Counts are entries per run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Comparison {
    /// The first variant's name.
    #[serde(default)]
    pub before: String,
    /// The other one's.
    #[serde(default)]
    pub after: String,
    /// What follows from it, in words.
    #[serde(default)]
    pub conclusion: String,
    /// Entries by cause over all details, in steady state if one was marked.
    #[serde(default)]
    pub totals: Vec<CauseComparison>,
    /// Entries in steady state, by cause and detail.
    pub steady: Vec<CauseComparison>,
    /// Entries in the whole run, by cause and detail.
    pub whole: Vec<CauseComparison>,
    /// Throughput, latency and cost.
    pub metrics: Vec<MetricComparison>,
    /// What the second variant costs.
    #[serde(default)]
    pub costs: Costs,
}

/// What a variant costs beside the first, by the medians of the runs. Null
/// where that is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Costs {
    /// Memory resident at most, in bytes: more than in the first variant.
    pub resident_bytes: Option<f64>,
    /// Memory locked at most, in bytes: more than in the first variant.
    pub locked_bytes: Option<f64>,
    /// Time until steady state, or of the whole run if none was marked, in
    /// nanoseconds: more than in the first variant.
    pub time_ns: Option<f64>,
    /// Whether `time_ns` is the set-up's.
    pub is_setup: bool,
    /// Pages populated and never used.
    pub unused_pages: Option<f64>,
}

/// Entries of one cause in two variants.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CauseComparison {
    /// As in the profile.
    pub cause: CauseName,
    /// As in the profile.
    pub detail: String,
    /// In the first variant.
    pub before: Spread,
    /// In the second variant.
    pub after: Spread,
    /// Second median by first, or null where the first is 0.
    pub ratio: Option<f64>,
    /// Whether it differs, or null in documents of older writers and with a
    /// single run.
    #[serde(default)]
    pub judgement: Option<Judgement>,
}

/// One number of a program's own in two variants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct MetricComparison {
    /// Which.
    pub metric: Metric,
    /// In the first variant, or null where it has none.
    pub before: Option<Spread>,
    /// In the second variant, or null where it has none.
    pub after: Option<Spread>,
    /// Second median by first, or null where that makes no sense.
    pub ratio: Option<f64>,
    /// Whether it differs, or null in documents of older writers and with a
    /// single run.
    #[serde(default)]
    pub judgement: Option<Judgement>,
}

/// A program's own numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// I/Os per second.
    Iops,
    /// Latency percentile, nanoseconds.
    LatencyP50Ns,
    /// Latency percentile, nanoseconds.
    LatencyP90Ns,
    /// Latency percentile, nanoseconds.
    LatencyP99Ns,
    /// Latency percentile, nanoseconds.
    LatencyP999Ns,
    /// Latency percentile, nanoseconds.
    LatencyP9999Ns,
    /// Latency percentile, nanoseconds.
    LatencyP99999Ns,
    /// Longest latency, nanoseconds.
    LatencyMaxNs,
    /// Time until steady state, nanoseconds.
    SetupNs,
    /// Length of the whole run, nanoseconds.
    WallNs,
    /// Memory resident at most, bytes.
    ResidentBytes,
    /// Memory locked at most, bytes.
    LockedBytes,
    /// Entries per second of steady state.
    EntriesPerSecond,
    /// Entries per million I/Os in steady state.
    EntriesPerMillionIos,
}

impl Metric {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 14] = [
        Self::Iops,
        Self::LatencyP50Ns,
        Self::LatencyP90Ns,
        Self::LatencyP99Ns,
        Self::LatencyP999Ns,
        Self::LatencyP9999Ns,
        Self::LatencyP99999Ns,
        Self::LatencyMaxNs,
        Self::SetupNs,
        Self::WallNs,
        Self::ResidentBytes,
        Self::LockedBytes,
        Self::EntriesPerSecond,
        Self::EntriesPerMillionIos,
    ];

    /// What it is, for people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Iops => "IOPS",
            Self::LatencyP50Ns => "latency p50",
            Self::LatencyP90Ns => "latency p90",
            Self::LatencyP99Ns => "latency p99",
            Self::LatencyP999Ns => "latency p99.9",
            Self::LatencyP9999Ns => "latency p99.99",
            Self::LatencyP99999Ns => "latency p99.999",
            Self::LatencyMaxNs => "latency max",
            Self::SetupNs => "set-up time",
            Self::WallNs => "time of the whole run",
            Self::ResidentBytes => "memory resident at most",
            Self::LockedBytes => "memory locked at most",
            Self::EntriesPerSecond => "entries per second",
            Self::EntriesPerMillionIos => "entries per million I/Os",
        }
    }

    /// What it is measured in.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::Iops | Self::EntriesPerSecond | Self::EntriesPerMillionIos => Unit::Rate,
            Self::ResidentBytes | Self::LockedBytes => Unit::Bytes,
            Self::LatencyP50Ns
            | Self::LatencyP90Ns
            | Self::LatencyP99Ns
            | Self::LatencyP999Ns
            | Self::LatencyP9999Ns
            | Self::LatencyP99999Ns
            | Self::LatencyMaxNs
            | Self::SetupNs
            | Self::WallNs => Unit::Nanoseconds,
        }
    }

    /// Its value in a profile.
    #[must_use]
    pub fn of(self, profile: &Profile) -> Option<f64> {
        let io = profile.io.as_ref();
        let latency = |of: fn(&LatencyNs) -> Option<u64>| of(&io?.latency_ns);
        let ns = match self {
            Self::Iops => return Some(io?.iops),
            Self::EntriesPerSecond => return profile.ledger.rates.steady_per_second,
            Self::EntriesPerMillionIos => return profile.ledger.rates.steady_per_million_ios,
            Self::LatencyP50Ns => latency(|latency| latency.p50),
            Self::LatencyP90Ns => latency(|latency| latency.p90),
            Self::LatencyP99Ns => latency(|latency| latency.p99),
            Self::LatencyP999Ns => latency(|latency| latency.p999),
            Self::LatencyP9999Ns => latency(|latency| latency.p9999),
            Self::LatencyP99999Ns => latency(|latency| latency.p99999),
            Self::LatencyMaxNs => latency(|latency| latency.max),
            Self::SetupNs => Some(io?.setup_ns).filter(|&ns| ns != 0),
            Self::WallNs => Some(profile.window.duration_ns),
            Self::ResidentBytes => Some(profile.memory.process?.resident_bytes),
            Self::LockedBytes => profile.memory.process?.locked_bytes,
        };
        ns.map(crate::profile::ledger::as_float)
    }
}

/// What a metric is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// So many in proportion to something.
    Rate,
    /// Time.
    Nanoseconds,
    /// Memory.
    Bytes,
}
