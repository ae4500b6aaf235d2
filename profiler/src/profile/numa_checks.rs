//! Our count of NUMA-hint faults beside the kernel's.

use profiler_common::{cause::CauseKind, fault::FaultKind};

use super::model::{CheckVerdict, CrossCheck, Ledger};
use crate::{
    collect::{
        numa_hints::{NumaHints, Seen},
        snapshot::Snapshot,
    },
    digits::count,
};

/// Where the machine's count comes from.
const VMSTAT: &str = "/proc/vmstat numa_hint_faults";

/// One hint of this many may be met by two threads at once without a word.
const FEW: u64 = 100;

/// Both checks, on machines that balance pages between nodes.
pub(super) fn all(snapshot: &Snapshot, ledger: &Ledger) -> Vec<CrossCheck> {
    let Some(hints) = &snapshot.faults.numa_hints else {
        return Vec::new();
    };
    let ours = of_kind(ledger, FaultKind::NumaHint);
    let Some(seen) = hints.seen else {
        return vec![unseen(hints, ours)];
    };
    let raced = of_kind(ledger, FaultKind::Raced);
    vec![of_target(ours, raced, &seen), of_machine(hints, &seen)]
}

fn of_kind(ledger: &Ledger, kind: FaultKind) -> u64 {
    let rows = ledger.by_cause.iter();
    rows.filter(|row| row.cause == CauseKind::PageFault && row.detail == kind.name())
        .map(|row| row.count)
        .sum()
}

/// What the target had in user mode: told from the page table before the fault, and
/// by the kernel after it.
fn of_target(ours: u64, raced: u64, seen: &Seen) -> CrossCheck {
    let theirs = seen.target_user;
    CrossCheck {
        what: "NUMA-hint faults in user mode".to_owned(),
        ours,
        theirs,
        source: "task_numa_fault".to_owned(),
        verdict: if theirs > ours + raced {
            CheckVerdict::Inconsistent
        } else if ours.saturating_sub(theirs) <= ours / FEW {
            CheckVerdict::Consistent
        } else {
            CheckVerdict::Informative
        },
        note: "of two threads that meet one hint at once, both have a page fault, and the kernel \
               counts the first; a page whose hint is made at that moment is `raced` with us"
            .to_owned(),
    }
}

/// What all the machine had: whose that was is the answer to why it is more.
fn of_machine(hints: &NumaHints, seen: &Seen) -> CrossCheck {
    let parts = [
        ("the target's in user mode", seen.target_user),
        ("its own in the kernel", seen.target_kernel),
        ("its io_uring threads'", seen.target_io_uring),
        ("modeswitch's", seen.profiler),
        ("others' in user mode", seen.other_user),
        ("others' in the kernel", seen.other_kernel),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(_, faults)| *faults != 0)
        .map(|(whose, faults)| format!("{} {whose}", count(*faults)))
        .collect();
    let total = seen.total();
    CrossCheck {
        what: if parts.is_empty() {
            "NUMA-hint faults of the machine".to_owned()
        } else {
            format!("NUMA-hint faults of the machine ({})", parts.join(", "))
        },
        ours: total,
        theirs: hints.machine,
        source: VMSTAT.to_owned(),
        // The counter is read just before the window opens and just after it closes.
        verdict: if total <= hints.machine {
            CheckVerdict::Consistent
        } else {
            CheckVerdict::Inconsistent
        },
        note: "only those in user mode are entries; the other one also counts what happened while \
               the probes were opened and closed, and hints that the kernel gave up"
            .to_owned(),
    }
}

/// Where the kernel does not let us look, the machine's count stands for itself.
fn unseen(hints: &NumaHints, ours: u64) -> CrossCheck {
    CrossCheck {
        what: "NUMA-hint faults in user mode".to_owned(),
        ours,
        theirs: hints.machine,
        source: VMSTAT.to_owned(),
        verdict: CheckVerdict::Informative,
        note: "the other one counts all the machine, and faults that the kernel had itself while \
               it was copying to or from such a page, which are no entries; whose they were takes \
               fentry on task_numa_fault"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{collect::row::Row, profile::build};
    use profiler_common::fault::detail;

    fn run(hints: u64, raced: u64, numa: NumaHints) -> Vec<CrossCheck> {
        let row = |kind: FaultKind, count| Row {
            kind: CauseKind::PageFault.code(),
            detail: detail::of(4, kind.code()),
            count,
            ..Row::default()
        };
        let mut snapshot = Snapshot::default();
        snapshot.counts.rows = vec![
            row(FaultKind::NumaHint, hints),
            row(FaultKind::Raced, raced),
        ];
        snapshot.faults.numa_hints = Some(numa);
        build::profile(&snapshot.into()).accounting.cross_checks
    }

    fn seen(target_user: u64, machine: u64) -> NumaHints {
        NumaHints {
            machine,
            seen: Some(Seen {
                target_user,
                target_io_uring: 4,
                ..Seen::default()
            }),
        }
    }

    /// What the kernel counted and we did not is a contradiction, unless it can have
    /// been a race; so is a machine that had fewer than we saw.
    #[test]
    fn contradictions_are_told_from_races() {
        use CheckVerdict::{Consistent, Inconsistent, Informative};
        let verdicts = |hints, raced, numa| {
            let checks = run(hints, raced, numa);
            (checks[0].verdict, checks[1].verdict)
        };
        assert_eq!(verdicts(9, 0, seen(9, 14)), (Consistent, Consistent));
        assert_eq!(verdicts(900, 0, seen(899, 903)), (Consistent, Consistent));
        assert_eq!(verdicts(10, 0, seen(9, 13)), (Informative, Consistent));
        assert_eq!(verdicts(8, 1, seen(9, 13)), (Consistent, Consistent));
        assert_eq!(verdicts(8, 0, seen(9, 12)), (Inconsistent, Inconsistent));
    }

    /// The parts are named, and where nobody could look that is said.
    #[test]
    fn says_whose_they_were() {
        let checks = run(9, 0, seen(9, 14));
        let whose = "9 the target's in user mode, 4 its io_uring threads'";
        assert!(checks[1].what.contains(whose), "{}", checks[1].what);
        let numa = NumaHints {
            machine: 14,
            seen: None,
        };
        let checks = run(9, 0, numa);
        assert_eq!(checks.len(), 1);
        assert_eq!(checks[0].verdict, CheckVerdict::Informative);
        assert!(checks[0].note.contains("task_numa_fault"));
    }
}
