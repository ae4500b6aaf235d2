//! Our counts beside what others say.

use profiler_common::{cause::CauseKind, vector::Vector};

use super::model::{CheckVerdict, CrossCheck, Ledger};
use super::{fault_checks, numa_checks};
use crate::collect::snapshot::Snapshot;

/// Labels in `/proc/interrupts`, and the vectors that they count together.
const LABELS: [(&str, &[Vector]); 4] = [
    ("LOC", &[Vector::LocalTimer]),
    ("RES", &[Vector::Reschedule]),
    ("CAL", &[Vector::CallFunction, Vector::CallFunctionSingle]),
    ("IWI", &[Vector::IrqWork]),
];

/// Every check that this run allows.
#[must_use]
pub fn all(snapshot: &Snapshot, ledger: &Ledger) -> Vec<CrossCheck> {
    let mut checks = interrupt_checks(snapshot, ledger);
    checks.extend(fault_checks::all(snapshot, ledger));
    checks.extend(numa_checks::all(snapshot, ledger));
    checks.extend(usage_check(snapshot, ledger));
    checks
}

/// Interrupts of the target can be no more than the interrupts of its CPUs.
fn interrupt_checks(snapshot: &Snapshot, ledger: &Ledger) -> Vec<CrossCheck> {
    let Some(cpus) = &snapshot.target.cpus else {
        return Vec::new();
    };
    let delta = |label: &str| -> Option<u64> {
        cpus.iter()
            .map(|&cpu| {
                let before = snapshot.interrupts_before.count(label, cpu)?;
                snapshot
                    .interrupts_after
                    .count(label, cpu)?
                    .checked_sub(before)
            })
            .sum()
    };
    LABELS
        .into_iter()
        .filter_map(|(label, vectors)| {
            let theirs = delta(label)?;
            let names: Vec<&str> = vectors.iter().map(|vector| vector.name()).collect();
            let ours = ledger
                .by_cause
                .iter()
                .filter(|row| row.cause == CauseKind::Interrupt)
                .filter(|row| names.contains(&row.detail.as_str()))
                .map(|row| row.count)
                .sum();
            Some(CrossCheck {
                what: format!("{} on the target's CPUs", names.join(" and ")),
                ours,
                theirs,
                verdict: if ours <= theirs {
                    CheckVerdict::Consistent
                } else {
                    CheckVerdict::Inconsistent
                },
                source: format!("/proc/interrupts {label}"),
                note: "the other one also counts those that hit other tasks and the kernel, so \
                       ours may be fewer but never more"
                    .to_owned(),
            })
        })
        .collect()
}

/// Page faults beside what `getrusage` says of the same processes.
fn usage_check(snapshot: &Snapshot, ledger: &Ledger) -> Option<CrossCheck> {
    let usage = snapshot.usage?;
    Some(CrossCheck {
        what: "page faults".to_owned(),
        ours: fault_checks::total(ledger),
        theirs: usage.minor_faults + usage.major_faults,
        verdict: CheckVerdict::Informative,
        source: "getrusage".to_owned(),
        note:
            "the other one also counts faults that the kernel took itself (populating, copying), \
               which are no entries, and those before the command began; not those of processes \
               that nobody waited for"
                .to_owned(),
    })
}
