//! Our count of page faults beside those of others.

use profiler_common::{cause::CauseKind, fault::detail, loss::Loss, names::program};

use super::{
    audit,
    model::{CheckVerdict, CrossCheck, Ledger},
};
use crate::{classify::fault, collect::snapshot::Snapshot, symbolize::measurement::Measurement};

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
    snapshot.probes.has(program::MAJOR_FAULT)
}

/// Every check that this run allows.
pub(super) fn all(measurement: &Measurement, ledger: &Ledger) -> Vec<CrossCheck> {
    let snapshot = &measurement.snapshot;
    let ours = total(ledger);
    let mut checks = Vec::new();
    if let Some(counts) = snapshot.faults.counters {
        let at_kernel = of_detail(snapshot, |row| row & detail::KERNEL_ADDRESS != 0);
        let comparable = ours.saturating_sub(at_kernel);
        checks.push(CrossCheck {
            what: if at_kernel == 0 {
                "page faults in user mode".to_owned()
            } else {
                format!("page faults in user mode, but for {at_kernel} at kernel addresses")
            },
            ours: comparable,
            theirs: counts.all,
            source: "perf page-faults:u".to_owned(),
            verdict: verdict(snapshot, comparable, counts.all),
            note: "the other one does not count accesses to addresses of the kernel's, so they \
                   are left out here; and nothing of programs that change their user when executed"
                .to_owned(),
        });
        if knows_major(snapshot) {
            let ours = of_detail(snapshot, fault::is_major);
            let unmatched = Loss::MajorUnmatched.name();
            let unmatched = snapshot.counts.losses.get(unmatched).copied().unwrap_or(0);
            let all = verdict(snapshot, ours + unmatched, counts.major);
            checks.push(CrossCheck {
                what: "major page faults in user mode".to_owned(),
                ours,
                theirs: counts.major,
                source: "perf major-faults:u".to_owned(),
                // Those are told as lost, so ours are said to be too few already.
                verdict: if unmatched != 0 && all == CheckVerdict::Consistent {
                    CheckVerdict::NotContradicted
                } else {
                    all
                },
                note: "ours are counted by a program, which the kernel passes over while a task \
                       that is preempted in bpf() waits for its CPU"
                    .to_owned(),
            });
        }
    }
    if let Some(returns) = audit::fault_returns(measurement).filter(|_| !audit::is_audit(snapshot))
    {
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

/// Page faults of our tracepoint whose detail is such.
fn of_detail(snapshot: &Snapshot, is_such: impl Fn(u32) -> bool) -> u64 {
    let rows = snapshot.counts.rows.iter();
    rows.filter(|row| row.kind == CauseKind::PageFault.code() && is_such(row.detail))
        .map(|row| row.count)
        .sum()
}

/// The two must agree, unless something went on while they were being read.
fn verdict(snapshot: &Snapshot, ours: u64, theirs: u64) -> CheckVerdict {
    let stood_still =
        snapshot.run.ending.left_running == 0 && !snapshot.run.target.command.is_empty();
    match (ours == theirs, stood_still) {
        (true, _) => CheckVerdict::Consistent,
        (false, true) => CheckVerdict::Inconsistent,
        (false, false) => CheckVerdict::Informative,
    }
}

#[cfg(test)]
mod tests {
    use profiler_common::fault::FaultKind;

    use super::*;
    use crate::{
        collect::row::Row, probe::status::ProgramStatus, profile::build,
        sys::fault_counters::FaultCounts,
    };

    fn run(counted: u64, major: u64, left_running: usize, unmatched: u64) -> Vec<CrossCheck> {
        let kind = detail::of(6, FaultKind::FileMinor.code());
        let row = |detail: u32, count: u64| Row {
            kind: CauseKind::PageFault.code(),
            detail,
            count,
            ..Row::default()
        };
        let mut snapshot = Snapshot::default();
        snapshot.counts.rows = vec![row(kind, 10 - major), row(kind | detail::MAJOR, major)];
        snapshot.probes.programs = vec![ProgramStatus {
            program: program::MAJOR_FAULT.to_owned(),
            skipped: None,
            misses: None,
        }];
        snapshot.run.target.command = vec!["x".to_owned()];
        snapshot.run.ending.left_running = left_running;
        let name = Loss::MajorUnmatched.name().to_owned();
        snapshot.counts.losses.insert(name, unmatched);
        snapshot.faults.counters = Some(FaultCounts {
            all: counted,
            major: 4,
        });
        build::profile(&snapshot.into()).accounting.cross_checks
    }

    /// The kernel's event leaves out accesses to its own addresses, and they are no
    /// contradiction.
    #[test]
    fn faults_at_kernel_addresses_are_not_compared() {
        let row = |mark: u32, count: u64| Row {
            kind: CauseKind::PageFault.code(),
            detail: detail::of(5, FaultKind::Protection.code()) | mark,
            count,
            ..Row::default()
        };
        let mut snapshot = Snapshot::default();
        snapshot.counts.rows = vec![row(0, 2_328), row(detail::KERNEL_ADDRESS, 100)];
        snapshot.run.target.command = vec!["x".to_owned()];
        snapshot.faults.counters = Some(FaultCounts {
            all: 2_328,
            major: 0,
        });
        let profile = build::profile(&snapshot.into());
        assert_eq!(profile.ledger.by_cause[0].count, 2_428, "one row");
        let check = &profile.accounting.cross_checks[0];
        assert_eq!(
            (check.ours, check.verdict),
            (2_328, CheckVerdict::Consistent)
        );
    }

    /// A count that is one off is a contradiction, unless the target still ran.
    #[test]
    fn a_difference_is_a_contradiction() {
        use CheckVerdict::{Consistent, Inconsistent, Informative};
        let verdicts = |counted, major, left| {
            let checks = run(counted, major, left, 0);
            (checks[0].verdict, checks[1].verdict)
        };
        assert_eq!(verdicts(10, 4, 0), (Consistent, Consistent));
        assert_eq!(verdicts(11, 3, 0), (Inconsistent, Inconsistent));
        assert_eq!(verdicts(11, 4, 1), (Informative, Consistent));
    }

    /// Major faults that are lost, and said to be, are no contradiction; others are.
    #[test]
    fn lost_major_faults_are_no_contradiction() {
        use CheckVerdict::{Inconsistent, NotContradicted};
        let verdict = |major, unmatched| run(10, major, 0, unmatched)[1].verdict;
        assert_eq!(verdict(3, 1), NotContradicted);
        assert_eq!(verdict(2, 1), Inconsistent);
        assert_eq!(verdict(4, 1), Inconsistent);
    }
}
