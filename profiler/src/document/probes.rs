//! How a run was measured.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::named::Name;

/// How many of the entries have their stacks taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StackPolicy {
    /// None: the cheapest.
    #[default]
    Off,
    /// Both, of the first and every 64th entry of each ledger row.
    Sample,
    /// The program's own, of every entry.
    User,
    /// Both, of every entry: about twenty times the cost of counting.
    All,
}

impl StackPolicy {
    /// The name in reports and documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Sample => "sample",
            Self::User => "user",
            Self::All => "all",
        }
    }
}

impl Name for StackPolicy {
    fn name(self) -> &'static str {
        self.name()
    }

    fn of(name: &str) -> Option<Self> {
        let all = Self::value_variants();
        all.iter().copied().find(|policy| policy.name() == name)
    }
}

/// What reports and documents call the families in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendName {
    /// Tracepoints on every way in.
    Tracepoint,
    /// The way out, by a trampoline.
    Fentry,
    /// The way out, by a kprobe.
    Kprobe,
    /// Both ways.
    Audit,
}

impl Name for BackendName {
    fn name(self) -> &'static str {
        match self {
            Self::Tracepoint => "tracepoint",
            Self::Fentry => "fentry",
            Self::Kprobe => "kprobe",
            Self::Audit => "audit",
        }
    }

    fn of(name: &str) -> Option<Self> {
        let all = [Self::Tracepoint, Self::Fentry, Self::Kprobe, Self::Audit];
        all.into_iter().find(|one| one.name() == name)
    }
}
