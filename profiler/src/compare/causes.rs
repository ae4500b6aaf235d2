//! Two sides by cause.

use std::collections::{BTreeMap, BTreeSet};

use profiler_common::cause::CauseKind;

use super::{
    basis::{Measure, Scope},
    change::{Counts, change, in_basis, weight},
    model::{ALL, CauseChange, ENTRIES, Judgement},
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

/// Causes of which the total is judged, besides that of all entries.
pub const JUDGED: [CauseKind; 3] = [
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
pub(super) fn total(group: &Group<'_>, cause: Option<CauseKind>, scope: Scope) -> Counts {
    let of = |run: &Profile| {
        let rows = run.ledger.by_cause.iter();
        let mut rows = rows
            .filter(|row| cause.is_none_or(|cause| row.cause == cause))
            .peekable();
        if let Some(cause) = cause.filter(|_| rows.peek().is_none()) {
            visible::could_count_any(run, cause)?;
        }
        Ok(rows.fold(0, |sum: u64, row| sum.saturating_add(counted(row, scope))))
    };
    group.profiles.iter().map(|run| of(run)).collect()
}

/// What is judged: all entries, and some causes.
pub(super) fn judged() -> impl Iterator<Item = Option<CauseKind>> {
    std::iter::once(None).chain(JUDGED.into_iter().map(Some))
}

/// All entries and those of the judged causes.
#[must_use]
pub fn totals(
    before: &Group<'_>,
    after: &Group<'_>,
    measure: &Measure,
    scope: Scope,
) -> Vec<CauseChange> {
    judged()
        .map(|cause| {
            let (first, second) = (total(before, cause, scope), total(after, cause, scope));
            let mut found = change(&first, &second, measure);
            // What is asked is asked of every comparison, whatever the counts are.
            if let Some((first, second)) = in_basis(&first, &second, measure) {
                found.judgement = Judgement::of(&first, &second);
            }
            CauseChange {
                cause: cause.map_or(ENTRIES.into(), CauseName::from),
                detail: ALL.to_owned(),
                change: found,
            }
        })
        .collect()
}

/// The totals of whole runs, of which those of a marked steady state are judged.
#[must_use]
pub fn whole_totals(before: &Group<'_>, after: &Group<'_>) -> Vec<CauseChange> {
    let measure = Measure::of(before, after, Scope::Whole);
    totals(before, after, &measure, Scope::Whole)
}

/// By cause and detail, the largest difference first. What is nowhere is left
/// out.
#[must_use]
pub fn by_detail(
    before: &Group<'_>,
    after: &Group<'_>,
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

fn tallies<'a>(group: &'a Group<'_>, scope: Scope) -> Vec<Tally<'a>> {
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

fn counts(group: &Group<'_>, tallies: &[Tally<'_>], key: Key<'_>) -> Counts {
    let runs = group.profiles.iter().zip(tallies);
    runs.map(|(run, tally)| match tally.get(&key) {
        Some(&count) => Ok(count),
        None => visible::could_count(run, key.0, key.1).map(|()| 0),
    })
    .collect()
}
