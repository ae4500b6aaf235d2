//! Every row of a snapshot with its cause: found once, for all that follows.

use std::iter::zip;

use super::{cause::Cause, entry};
use crate::collect::{
    row::{Row, StackRow},
    snapshot::Snapshot,
};

/// A row of a snapshot, and why its entries happened.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The row.
    pub row: &'a Row,
    /// Their cause.
    pub cause: &'a Cause,
}

/// The causes of a snapshot's rows.
#[derive(Clone, Debug, Default)]
pub struct Entries {
    ledger: Vec<Cause>,
    stacks: Vec<Cause>,
    /// What the timeline tells apart, as rows that count nothing.
    timeline: Vec<(Row, Cause)>,
}

impl Entries {
    /// Those of a snapshot.
    #[must_use]
    pub fn of(snapshot: &Snapshot) -> Self {
        let interrupts = &snapshot.machine.interrupts_after;
        let cause = |row: &Row| entry::cause(row, interrupts, &snapshot.kernel_symbols);
        let keys = snapshot.timeline.iter().flat_map(|record| &record.causes);
        let timeline = keys.map(|key| {
            let row = Row {
                kind: key.kind,
                detail: key.detail,
                stub_return: key.stub_return,
                flags: key.flags,
                ..Row::default()
            };
            let cause = cause(&row);
            (row, cause)
        });
        Self {
            ledger: snapshot.counts.rows.iter().map(cause).collect(),
            stacks: (snapshot.counts.stacks.iter().map(|stack| &stack.row))
                .map(cause)
                .collect(),
            timeline: timeline.collect(),
        }
    }

    /// The ledger of the snapshot that these are of.
    pub fn ledger<'a>(&'a self, snapshot: &'a Snapshot) -> impl Iterator<Item = Entry<'a>> {
        zip(&snapshot.counts.rows, &self.ledger).map(|(row, cause)| Entry { row, cause })
    }

    /// The stacks of the snapshot that these are of.
    pub fn stacks<'a>(
        &'a self,
        snapshot: &'a Snapshot,
    ) -> impl Iterator<Item = (Entry<'a>, &'a StackRow)> {
        let row = |stack: &'a StackRow| &stack.row;
        zip(&snapshot.counts.stacks, &self.stacks).map(move |(stack, cause)| {
            (
                Entry {
                    row: row(stack),
                    cause,
                },
                stack,
            )
        })
    }

    /// What the timeline tells apart, in its order.
    pub fn timeline(&self) -> impl Iterator<Item = Entry<'_>> {
        (self.timeline.iter()).map(|(row, cause)| Entry { row, cause })
    }
}
