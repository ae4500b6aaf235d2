//! The experiment document.

use serde::{Deserialize, Serialize};
use workload::summary::LatencyNs;

use super::spread::Spread;
use crate::profile::model::{Profile, Tool};

/// What [`Experiment::kind`] says, so that the document is told from a profile.
pub const KIND: &str = "experiment";

/// One experiment.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
    /// The variants side by side.
    pub comparison: Comparison,
    /// What follows from it, in words.
    pub conclusion: String,
}

/// One variant and its runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// What it does differently.
    pub description: String,
    /// Its runs, in order.
    pub profiles: Vec<Profile>,
}

/// Two variants side by side. Counts are entries per run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Entries in steady state, by cause and detail.
    pub steady: Vec<CauseComparison>,
    /// Entries in the whole run, by cause and detail.
    pub whole: Vec<CauseComparison>,
    /// Throughput, latency and cost.
    pub metrics: Vec<MetricComparison>,
}

/// Entries of one cause in two variants.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CauseComparison {
    /// As in the profile.
    pub cause: String,
    /// As in the profile.
    pub detail: String,
    /// In the first variant.
    pub before: Spread,
    /// In the second variant.
    pub after: Spread,
    /// Second median by first, or null where the first is 0.
    pub ratio: Option<f64>,
}

/// One number of a program's own in two variants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricComparison {
    /// Which.
    pub metric: Metric,
    /// In the first variant, or null where it has none.
    pub before: Option<Spread>,
    /// In the second variant, or null where it has none.
    pub after: Option<Spread>,
    /// Second median by first, or null where that makes no sense.
    pub ratio: Option<f64>,
}

/// A program's own numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Entries per second of steady state.
    EntriesPerSecond,
    /// Entries per million I/Os in steady state.
    EntriesPerMillionIos,
}

impl Metric {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 11] = [
        Self::Iops,
        Self::LatencyP50Ns,
        Self::LatencyP90Ns,
        Self::LatencyP99Ns,
        Self::LatencyP999Ns,
        Self::LatencyP9999Ns,
        Self::LatencyP99999Ns,
        Self::LatencyMaxNs,
        Self::SetupNs,
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
            Self::EntriesPerSecond => "entries per second",
            Self::EntriesPerMillionIos => "entries per million I/Os",
        }
    }

    /// Whether it is a length of time, in nanoseconds.
    #[must_use]
    pub const fn is_time(self) -> bool {
        !matches!(
            self,
            Self::Iops | Self::EntriesPerSecond | Self::EntriesPerMillionIos
        )
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
            Self::SetupNs => Some(io?.setup_ns),
        };
        ns.map(crate::profile::ledger::as_float)
    }
}
