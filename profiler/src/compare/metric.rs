//! A program's own numbers, as far as a profile has them.

use serde::{Deserialize, Serialize};
use workload::summary::LatencyNs;

use crate::{
    profile::model::Profile,
    units::{bytes, duration_ns, rate},
};

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

    /// A value of it with its unit, for people.
    #[must_use]
    pub fn shown(self, value: f64) -> String {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "times and sizes are not negative and far below u64's limit"
        )]
        let whole = value.round() as u64;
        match self.unit() {
            Unit::Nanoseconds => duration_ns(whole),
            Unit::Bytes => bytes(whole),
            Unit::Rate => rate(value),
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
