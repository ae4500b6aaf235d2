//! Two sides by cause.

use std::collections::{BTreeMap, BTreeSet};

use profiler_common::cause::CauseKind;

use super::{
    basis::{Measure, Scope},
    change::{Counts, change, weight},
    model::CauseChange,
    side::Group,
    visible,
};
use crate::{
    named::CauseName,
    profile::{
        model::{CauseRow, Profile},
        rates::steady_count,
    },
};

/// Stands for all details of a cause.
pub const ALL: &str = "(all)";
/// Stands for all causes.
pub const ENTRIES: &str = "all";

/// Causes of which the total is judged, besides that of all entries.
const JUDGED: [CauseKind; 3] = [
    CauseKind::Syscall,
    CauseKind::PageFault,
    CauseKind::Interrupt,
];

fn counted(row: &CauseRow, scope: Scope) -> u64 {
    match scope {
        Scope::Steady => steady_count(row),
        Scope::Whole => row.count,
    }
}

/// Counts of a cause in each run: `None` for all causes together.
pub(super) fn total(group: &Group, cause: Option<CauseKind>, scope: Scope) -> Vec<u64> {
    let of = |run: &Profile| {
        let rows = run.ledger.by_cause.iter();
        let rows = rows.filter(|row| cause.is_none_or(|cause| row.cause == cause));
        rows.fold(0, |sum: u64, row| sum.saturating_add(counted(row, scope)))
    };
    group.profiles.iter().map(of).collect()
}

/// What is judged: all entries, and some causes.
pub(super) fn judged() -> impl Iterator<Item = Option<CauseKind>> {
    std::iter::once(None).chain(JUDGED.into_iter().map(Some))
}

/// All entries and those of the judged causes.
#[must_use]
pub fn totals(before: &Group, after: &Group, measure: &Measure, scope: Scope) -> Vec<CauseChange> {
    judged()
        .map(|cause| CauseChange {
            cause: cause.map_or(ENTRIES.into(), CauseName::from),
            detail: ALL.to_owned(),
            change: change(
                &Some(total(before, cause, scope)),
                &Some(total(after, cause, scope)),
                measure,
            ),
        })
        .collect()
}

/// By cause and detail, the largest difference first. What is nowhere is left
/// out.
#[must_use]
pub fn by_detail(
    before: &Group,
    after: &Group,
    measure: &Measure,
    scope: Scope,
) -> Vec<CauseChange> {
    let (first, second) = (tallies(before, scope), tallies(after, scope));
    let keys: BTreeSet<Key<'_>> = first
        .iter()
        .chain(&second)
        .flat_map(|tally| tally.iter())
        .filter(|&(_, &count)| count != 0)
        .map(|(&key, _)| key)
        .collect();
    let mut rows: Vec<CauseChange> = keys
        .into_iter()
        .map(|key| CauseChange {
            cause: key.0.into(),
            detail: key.1.to_owned(),
            change: change(
                &counts(before, &first, key),
                &counts(after, &second, key),
                measure,
            ),
        })
        .collect();
    rows.sort_by(|a, b| weight(&b.change).total_cmp(&weight(&a.change)));
    rows
}

type Key<'a> = (&'a str, &'a str);
type Tally<'a> = BTreeMap<Key<'a>, u64>;

fn tallies(group: &Group, scope: Scope) -> Vec<Tally<'_>> {
    let runs = group.profiles.iter();
    runs.map(|run| tally(run, scope)).collect()
}

fn tally(run: &Profile, scope: Scope) -> Tally<'_> {
    let mut tally = Tally::new();
    for row in &run.ledger.by_cause {
        let count = tally.entry((&row.cause, &row.detail)).or_default();
        *count = count.saturating_add(counted(row, scope));
    }
    tally
}

fn counts(group: &Group, tallies: &[Tally<'_>], key: Key<'_>) -> Counts {
    let runs = group.profiles.iter().zip(tallies);
    runs.map(|(run, tally)| match tally.get(&key) {
        Some(&count) => Some(count),
        None => visible::cause(run, key.0, key.1).then_some(0),
    })
    .collect()
}
