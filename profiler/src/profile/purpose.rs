//! What interrupts were for: a breakdown of the ledger's rows, which do not
//! depend on it.

use std::{cmp::Reverse, collections::BTreeMap};

use profiler_common::{cause::CauseKind, vector::Vector};

use super::ledger::phase_name;
use crate::{
    classify::purpose::{NOT_TOLD, TLB_SHOOTDOWN, of_function},
    collect::{interruption::PurposeRow, snapshot::Snapshot},
    document::{interrupts::Purpose, profile::Ledger},
};

/// Purposes by (purpose, function).
type Tally = BTreeMap<(String, Option<String>), Purpose>;

/// Breaks down the interrupts of the ledger, in all and by thread.
pub fn attach(ledger: &mut Ledger, snapshot: &Snapshot) {
    for row in &mut ledger.by_cause {
        if let Some(vector) = told_apart(&row.cause, &row.detail) {
            let seen = snapshot.interruptions.purposes.iter();
            let seen = seen.filter(|seen| seen.vector == vector.code());
            row.purposes = breakdown(seen, row.count, &row.phases, snapshot);
        }
    }
    // Threads are listed in the snapshot's order, the unknown ones behind.
    for (row, thread) in ledger.by_thread.iter_mut().zip(&snapshot.threads) {
        for row in &mut row.by_cause {
            let Some(vector) = told_apart(&row.cause, &row.detail) else {
                continue;
            };
            let seen = snapshot.interruptions.purposes.iter().filter(|seen| {
                seen.vector == vector.code()
                    && (seen.tid, seen.generation) == (thread.tid, thread.generation)
            });
            row.purposes = breakdown(seen, row.count, &row.phases, snapshot);
        }
    }
}

/// The vector of a row, if it is one that serves several purposes.
pub(super) fn told_apart(cause: &str, detail: &str) -> Option<Vector> {
    [Vector::CallFunction, Vector::CallFunctionSingle]
        .into_iter()
        .find(|vector| cause == CauseKind::Interrupt.name() && detail == vector.name())
}

fn breakdown<'a>(
    seen: impl Iterator<Item = &'a PurposeRow>,
    count: u64,
    phases: &BTreeMap<String, u64>,
    snapshot: &Snapshot,
) -> Vec<Purpose> {
    let mut tally = Tally::new();
    for row in seen {
        let (purpose, function) = name(row, snapshot);
        let entry = tally
            .entry((purpose.clone(), function.clone()))
            .or_insert_with(|| Purpose {
                purpose,
                function,
                ..Purpose::default()
            });
        if row.further {
            entry.further_calls += row.count;
        } else {
            entry.count += row.count;
            let phase = phase_name(snapshot, row.phase);
            *entry.phases.entry(phase).or_default() += row.count;
        }
    }
    let mut purposes: Vec<Purpose> = tally.into_values().collect();
    purposes.extend(not_told(&purposes, count, phases));
    purposes.sort_by_key(|purpose| Reverse(purpose.count));
    purposes
}

/// What is left of a row when all that was seen is taken away.
fn not_told(seen: &[Purpose], count: u64, phases: &BTreeMap<String, u64>) -> Option<Purpose> {
    let told: u64 = seen.iter().map(|purpose| purpose.count).sum();
    let left = count.checked_sub(told).filter(|&left| left != 0)?;
    let phases = phases.iter().filter_map(|(phase, &count)| {
        let told: u64 = seen.iter().filter_map(|seen| seen.phases.get(phase)).sum();
        let left = count.checked_sub(told).filter(|&left| left != 0)?;
        Some((phase.clone(), left))
    });
    Some(Purpose {
        purpose: NOT_TOLD.to_owned(),
        count: left,
        phases: phases.collect(),
        ..Purpose::default()
    })
}

/// The purpose and the function's name.
fn name(row: &PurposeRow, snapshot: &Snapshot) -> (String, Option<String>) {
    if row.tlb_flush {
        return (TLB_SHOOTDOWN.to_owned(), None);
    }
    let known = snapshot.kernel_symbols.get(&row.function);
    let function = known.map_or_else(|| format!("{:#x}", row.function), |(name, _)| name.clone());
    (of_function(&function).to_owned(), Some(function))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{collect::row::Row, profile::ledger};

    fn seen(function: u64, further: bool, count: u64) -> PurposeRow {
        PurposeRow {
            tid: 7,
            vector: Vector::CallFunctionSingle.code(),
            function,
            further,
            count,
            ..PurposeRow::default()
        }
    }

    /// The breakdown adds up to the row: what was not seen is said to be, and a
    /// second function of an interrupt is no second interrupt.
    #[test]
    fn purposes_add_up() {
        let mut snapshot = Snapshot::default();
        snapshot.counts.rows = vec![Row {
            tid: 7,
            kind: CauseKind::Interrupt.code(),
            detail: Vector::CallFunctionSingle.code(),
            count: 10,
            ..Row::default()
        }];
        snapshot.interruptions.purposes = vec![
            seen(0x10, false, 6),
            seen(0x20, true, 3),
            seen(0x20, false, 1),
        ];
        snapshot.kernel_symbols = BTreeMap::from([
            (0x10, ("flush_tlb_func".to_owned(), 0)),
            (0x20, ("do_sync_core".to_owned(), 0)),
        ]);
        let mut ledger = ledger::build(&snapshot.clone().into());
        attach(&mut ledger, &snapshot);
        let found: Vec<(&str, u64, u64)> = ledger.by_cause[0]
            .purposes
            .iter()
            .map(|purpose| {
                (
                    purpose.purpose.as_str(),
                    purpose.count,
                    purpose.further_calls,
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                ("tlb_shootdown", 6, 0),
                ("not_told", 3, 0),
                ("sync_core", 1, 3)
            ]
        );
        assert_eq!(ledger.by_cause[0].count, 10);
    }
}
