//! A snapshot and what was made of it: all that a profile is built from.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use serde::{Deserialize, Serialize};
use workload::summary::IoSummary;

use super::names::Names;
use crate::{
    classify::entries::{Entries, Entry},
    collect::{row::StackRow, snapshot::Snapshot},
};

/// The version of saved measurements that we write, and the only one that we read.
pub const VERSION: u32 = 1;

/// One measurement.
#[derive(Clone, Debug, Default)]
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
    entries: Entries,
}

/// A measurement in a file. Causes are not saved: they are found again.
#[derive(Serialize, Deserialize)]
struct Saved<'a> {
    snapshot_version: u32,
    snapshot: Cow<'a, Snapshot>,
    names: Cow<'a, Names>,
    io: Option<Cow<'a, IoSummary>>,
    profiler_cpu_ns: u64,
}

/// What tells the version before the rest is read.
#[derive(Deserialize)]
struct Head {
    snapshot_version: u32,
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

    /// Writes all of it, as JSON. What a program had on its stacks is not in it;
    /// addresses, paths and the command are.
    ///
    /// # Errors
    /// Whatever the output reports.
    pub fn write(&self, mut out: impl Write) -> io::Result<()> {
        let saved = Saved {
            snapshot_version: VERSION,
            snapshot: Cow::Borrowed(&self.snapshot),
            names: Cow::Borrowed(&self.names),
            io: self.io.as_ref().map(Cow::Borrowed),
            profiler_cpu_ns: self.profiler_cpu_ns,
        };
        serde_json::to_writer(&mut out, &saved)?;
        writeln!(out)
    }

    /// Reads what [`Self::write`] wrote, and finds the causes again.
    ///
    /// # Errors
    /// If it is damaged, or of another version.
    pub fn read(bytes: &[u8]) -> io::Result<Self> {
        let Head { snapshot_version } = serde_json::from_slice(bytes)?;
        if snapshot_version != VERSION {
            return Err(io::Error::other(format!(
                "it is a snapshot of version {snapshot_version}, and this version of modeswitch \
                 reads version {VERSION}"
            )));
        }
        let saved: Saved<'_> = serde_json::from_slice(bytes)?;
        let snapshot = saved.snapshot.into_owned();
        let entries = Entries::of(&snapshot);
        Ok(Self {
            io: saved.io.map(Cow::into_owned),
            profiler_cpu_ns: saved.profiler_cpu_ns,
            ..Self::new(snapshot, entries, saved.names.into_owned())
        })
    }
}

/// A snapshot whose code has no names.
impl From<Snapshot> for Measurement {
    fn from(snapshot: Snapshot) -> Self {
        let entries = Entries::of(&snapshot);
        Self::new(snapshot, entries, Names::default())
    }
}
