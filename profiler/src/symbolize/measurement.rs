//! A snapshot and what was made of it: all that a profile is built from.

use serde::{Deserialize, Serialize};
use workload::summary::IoSummary;

use super::names::Names;
use crate::{
    classify::entries::{Entries, Entry},
    collect::{row::StackRow, snapshot::Snapshot},
};

/// One measurement.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Measurement {
    /// What was collected.
    pub snapshot: Snapshot,
    /// Names for it.
    pub names: Names,
    /// What the program said of its own work.
    pub io: Option<IoSummary>,
    /// CPU time that the profiler used in all until there was something to report:
    /// for preparations, for reading out and for names, helpers included.
    pub profiler_cpu_ns: u64,
    /// The causes of the snapshot's rows.
    #[serde(skip)]
    entries: Entries,
}

impl Measurement {
    /// A snapshot that was classified and named.
    #[must_use]
    pub const fn new(snapshot: Snapshot, entries: Entries, names: Names) -> Self {
        Self {
            snapshot,
            names,
            io: None,
            profiler_cpu_ns: 0,
            entries,
        }
    }

    /// The ledger, with causes.
    pub fn ledger(&self) -> impl Iterator<Item = Entry<'_>> {
        self.entries.ledger(&self.snapshot)
    }

    /// The stacks, with causes.
    pub fn stacks(&self) -> impl Iterator<Item = (Entry<'_>, &StackRow)> {
        self.entries.stacks(&self.snapshot)
    }

    /// What the timeline tells apart, with causes.
    pub fn timeline(&self) -> impl Iterator<Item = Entry<'_>> {
        self.entries.timeline()
    }
}

/// A snapshot whose code has no names.
impl From<Snapshot> for Measurement {
    fn from(snapshot: Snapshot) -> Self {
        let entries = Entries::of(&snapshot);
        Self::new(snapshot, entries, Names::default())
    }
}
