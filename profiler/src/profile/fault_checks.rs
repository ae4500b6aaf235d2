//! Our count of page faults beside those of others.

use profiler_common::{cause::CauseKind, names::program};

use super::{
    audit,
    model::{CheckVerdict, CrossCheck, Ledger},
};
use crate::{classify::fault, collect::snapshot::Snapshot};

/// All page faults in the ledger.
#[must_use]
pub fn total(ledger: &Ledger) -> u64 {
    let rows = ledger.by_cause.iter();
    rows.filter(|row| row.cause == CauseKind::PageFault)
        .map(|row| row.count)
        .sum()
}

/// Whether this run tells major faults from minor ones.
#[must_use]
pub fn knows_major(snapshot: &Snapshot) -> bool {
    let mut programs = snapshot.programs.iter();
    programs.any(|status| status.program == program::MAJOR_FAULT && status.skipped.is_none())
}

/// Every check that this run allows.
pub(super) fn all(snapshot: &Snapshot, ledger: &Ledger) -> Vec<CrossCheck> {
    let ours = total(ledger);
    let mut checks = Vec::new();
    if let Some(counts) = snapshot.faults.counters {
        checks.push(CrossCheck {
            what: "page faults in user mode".to_owned(),
            ours,
            theirs: counts.all,
            source: "perf page-faults:u".to_owned(),
            verdict: verdict(snapshot, ours, counts.all),
            note: "the other one does not count accesses to the kernel's half of the addresses, \
                   and nothing of programs that change their user when executed"
                .to_owned(),
        });
        if knows_major(snapshot) {
            let ours = major(snapshot);
            checks.push(CrossCheck {
                what: "major page faults in user mode".to_owned(),
                ours,
                theirs: counts.major,
                source: "perf major-faults:u".to_owned(),
                verdict: verdict(snapshot, ours, counts.major),
                note: "ours are counted by a program, which the kernel passes over while a task \
                       that is preempted in bpf() waits for its CPU"
                    .to_owned(),
            });
        }
    }
    if let Some(returns) = audit::fault_returns(snapshot).filter(|_| !audit::is_audit(snapshot)) {
        checks.push(CrossCheck {
            what: "page faults".to_owned(),
            ours,
            theirs: returns,
            source: "returns from them".to_owned(),
            verdict: verdict(snapshot, ours, returns),
            note: "counted by the tracepoint and by the exit probe, which share nothing".to_owned(),
        });
    }
    checks
}

/// Major faults as our program has seen them.
fn major(snapshot: &Snapshot) -> u64 {
    let rows = snapshot.rows.iter();
    rows.filter(|row| row.kind == CauseKind::PageFault.code() && fault::is_major(row.detail))
        .map(|row| row.count)
        .sum()
}

/// The two must agree, unless something went on while they were being read.
fn verdict(snapshot: &Snapshot, ours: u64, theirs: u64) -> CheckVerdict {
    let stood_still = snapshot.ending.left_running == 0 && !snapshot.target.command.is_empty();
    match (ours == theirs, stood_still) {
        (true, _) => CheckVerdict::Consistent,
        (false, true) => CheckVerdict::Inconsistent,
        (false, false) => CheckVerdict::Informative,
    }
}

#[cfg(test)]
mod tests {
    use profiler_common::fault::{FaultKind, detail};

    use super::*;
    use crate::{
        collect::snapshot::{ProgramStatus, Row},
        profile::build,
        sys::fault_counters::FaultCounts,
    };

    fn run(counted: u64, major: u64, left_running: usize) -> Vec<CrossCheck> {
        let kind = detail::of(6, FaultKind::FileMinor.code());
        let row = |detail: u32, count: u64| Row {
            kind: CauseKind::PageFault.code(),
            detail,
            count,
            ..Row::default()
        };
        let mut snapshot = Snapshot {
            rows: vec![row(kind, 10 - major), row(kind | detail::MAJOR, major)],
            programs: vec![ProgramStatus {
                program: program::MAJOR_FAULT.to_owned(),
                skipped: None,
                misses: None,
            }],
            ..Snapshot::default()
        };
        snapshot.target.command = vec!["x".to_owned()];
        snapshot.ending.left_running = left_running;
        snapshot.faults.counters = Some(FaultCounts {
            all: counted,
            major: 4,
        });
        build::profile(&snapshot).accounting.cross_checks
    }

    /// A count that is one off is a contradiction, unless the target still ran.
    #[test]
    fn a_difference_is_a_contradiction() {
        use CheckVerdict::{Consistent, Inconsistent, Informative};
        let verdicts = |counted, major, left| {
            let checks = run(counted, major, left);
            (checks[0].verdict, checks[1].verdict)
        };
        assert_eq!(verdicts(10, 4, 0), (Consistent, Consistent));
        assert_eq!(verdicts(11, 3, 0), (Inconsistent, Inconsistent));
        assert_eq!(verdicts(11, 4, 1), (Informative, Consistent));
    }
}
