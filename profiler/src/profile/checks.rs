//! Our counts beside what others say.

use std::cmp::Ordering;

use profiler_common::{cause::CauseKind, vector::Vector};

use super::model::{CheckVerdict, CrossCheck, Ledger};
use super::{fault_checks, numa_checks};
use crate::{collect::snapshot::Snapshot, symbolize::measurement::Measurement};

/// Labels in `/proc/interrupts`, and the vectors that they count together.
const LABELS: [(&str, &[Vector]); 4] = [
    ("LOC", &[Vector::LocalTimer]),
    ("RES", &[Vector::Reschedule]),
    ("CAL", &[Vector::CallFunction, Vector::CallFunctionSingle]),
    ("IWI", &[Vector::IrqWork]),
];

/// Every check that this run allows.
#[must_use]
pub fn all(measurement: &Measurement, ledger: &Ledger) -> Vec<CrossCheck> {
    let snapshot = &measurement.snapshot;
    let mut checks = interrupt_checks(snapshot, ledger);
    checks.extend(fault_checks::all(measurement, ledger));
    checks.extend(numa_checks::all(snapshot, ledger));
    checks.extend(usage_check(snapshot, ledger));
    checks
}

/// Interrupts of the target can be no more than the interrupts of its CPUs.
fn interrupt_checks(snapshot: &Snapshot, ledger: &Ledger) -> Vec<CrossCheck> {
    let Some(cpus) = &snapshot.run.target.cpus else {
        return Vec::new();
    };
    let (before, after) = (
        &snapshot.machine.interrupts_before,
        &snapshot.machine.interrupts_after,
    );
    if before.cpus.is_empty() {
        return Vec::new();
    }
    LABELS
        .into_iter()
        .filter_map(|(label, vectors)| {
            let theirs = after.since(before, label, Some(cpus))?;
            let names: Vec<&str> = vectors.iter().map(|vector| vector.name()).collect();
            let ours: u64 = ledger
                .by_cause
                .iter()
                .filter(|row| row.cause == CauseKind::Interrupt)
                .filter(|row| names.contains(&row.detail.as_str()))
                .map(|row| row.count)
                .sum();
            let too_few = vectors == [Vector::LocalTimer]
                && ours < theirs / FAR_OFF
                && is_nearly_all_user(snapshot, cpus.len());
            let verdict = match ours.cmp(&theirs) {
                Ordering::Greater => CheckVerdict::Inconsistent,
                _ if too_few => CheckVerdict::Inconsistent,
                Ordering::Less => CheckVerdict::NotContradicted,
                Ordering::Equal => CheckVerdict::Consistent,
            };
            let note = if too_few {
                "the command was in user mode nearly all of the time that these CPUs had, so \
                 nearly all of their ticks must have hit it there"
            } else {
                "the other one also counts those that hit other tasks and the kernel, so ours may \
                 be fewer but never more"
            };
            Some(CrossCheck {
                what: format!("{} on the target's CPUs", names.join(" and ")),
                ours,
                theirs,
                verdict,
                source: format!("/proc/interrupts {label}"),
                note: note.to_owned(),
            })
        })
        .collect()
}

/// Ticks arrive whatever the command does. Where it was in user mode for nine
/// tenths of the time, fewer than one in a hundred of them there is no chance: so
/// few are in doubt from the hundredth on.
const FAR_OFF: u64 = 100;

/// Whether the command was in user mode nearly all of the time that its CPUs had,
/// and these have a tick.
fn is_nearly_all_user(snapshot: &Snapshot, cpus: usize) -> bool {
    let Some(usage) = snapshot.run.usage else {
        return false;
    };
    let cpus = u64::try_from(cpus).unwrap_or(u64::MAX);
    let all_ns = snapshot.run.window.duration_ns.saturating_mul(cpus);
    // Without a tick, what is left are timers, which wake who sleeps.
    let is_tickless = snapshot.machine.host.cmdline.contains("nohz_full");
    !is_tickless && usage.user_ns / 9 >= all_ns / 10
}

/// Lines of `/proc/interrupts` whose interrupts a tracepoint shows, or which
/// count something else: what the others count a second time, or no interrupts.
const EXPLAINED: [&str; 17] = [
    "NMI", "PMI", "LOC", "RES", "CAL", "TLB", "IWI", "SPU", "ERR", "MIS", "PLT", "TRM", "THR",
    "DFR", "MCE", "MCP", "RTR",
];

/// Interrupts that no tracepoint shows, by their line in `/proc/interrupts`, and
/// how many entries they may have been: those of the target's CPUs, or of all.
/// None if the file could not be read.
#[must_use]
pub fn unexplained_interrupts(snapshot: &Snapshot) -> Option<Vec<(String, u64)>> {
    let (before, after) = (
        &snapshot.machine.interrupts_before,
        &snapshot.machine.interrupts_after,
    );
    if before.cpus.is_empty() || after.cpus.is_empty() {
        return None;
    }
    let cpus = snapshot.run.target.cpus.as_deref();
    let labels = after.lines.keys().filter(|label| {
        let is_device = label.bytes().all(|byte| byte.is_ascii_digit());
        !is_device && !EXPLAINED.contains(&label.as_str())
    });
    let moved = labels.filter_map(|label| {
        let count = after.since(before, label, cpus).unwrap_or(u64::MAX);
        (count != 0).then(|| (label.clone(), count))
    });
    Some(moved.collect())
}

/// Page faults beside what `getrusage` says of the same processes.
fn usage_check(snapshot: &Snapshot, ledger: &Ledger) -> Option<CrossCheck> {
    let usage = snapshot.run.usage?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        collect::row::Row, document::run::ChildUsage, kernel::interrupts::Interrupts,
        profile::build,
    };

    /// A command on CPU 1 for ten seconds, this long in user mode, hit by so many
    /// ticks, and what the CPU has had.
    fn run(user_ns: u64, ours: u64, theirs: u64) -> Snapshot {
        let table = |count: u64, callbacks: u64| {
            let text = format!(
                "CPU0 CPU1\n 36: 0 5 PCI nvme0q1\nLOC: 0 {count} Local timer\n\
                 RTR: 9 {count} x\nHYP: 7 {callbacks} x\nNEW: {callbacks} 0 x\nMIS: {count}\n"
            );
            Interrupts::parse(&text)
        };
        let mut snapshot = Snapshot::default();
        snapshot.counts.rows = vec![Row {
            kind: CauseKind::Interrupt.code(),
            detail: Vector::LocalTimer.code(),
            count: ours,
            ..Row::default()
        }];
        snapshot.run.usage = Some(ChildUsage {
            user_ns,
            ..ChildUsage::default()
        });
        snapshot.machine.interrupts_before = table(0, 0);
        snapshot.machine.interrupts_after = table(theirs, 3);
        snapshot.run.window.duration_ns = 10_000_000_000;
        snapshot.run.target.cpus = Some(vec![1]);
        snapshot
    }

    /// An upper bound proves nothing, unless the command had the CPU for itself.
    #[test]
    fn an_upper_bound_does_not_agree() {
        use CheckVerdict::{Consistent, Inconsistent, NotContradicted};
        let verdict = |user_ns, ours, theirs| {
            let profile = build::profile(&run(user_ns, ours, theirs).into());
            let checks = profile.accounting.cross_checks;
            let mut checks = checks
                .into_iter()
                .filter(|check| check.what.contains("timer"));
            checks.next().map(|check| check.verdict)
        };
        let (half, all) = (5_000_000_000, 9_500_000_000);
        assert_eq!(verdict(half, 0, 2_500), Some(NotContradicted));
        assert_eq!(verdict(all, 0, 2_500), Some(Inconsistent));
        assert_eq!(verdict(all, 24, 2_500), Some(Inconsistent));
        assert_eq!(verdict(all, 25, 2_500), Some(NotContradicted));
        assert_eq!(verdict(all, 0, 99), Some(NotContradicted));
        assert_eq!(verdict(all, 7, 7), Some(Consistent));
        assert_eq!(verdict(half, 8, 7), Some(Inconsistent));
        let mut tickless = run(all, 0, 2_500);
        tickless.machine.host.cmdline = "quiet nohz_full=1".to_owned();
        let profile = build::profile(&tickless.into());
        assert_eq!(profile.accounting.cross_checks[0].verdict, NotContradicted);
    }

    /// Lines that only other CPUs moved on, that count no interrupts, or that a
    /// tracepoint explains are no doubt; a file that was not read is one.
    #[test]
    fn what_no_tracepoint_explains_is_told() {
        let mut snapshot = run(0, 0, 100);
        let told = |snapshot: &Snapshot| unexplained_interrupts(snapshot);
        assert_eq!(told(&snapshot), Some(vec![("HYP".to_owned(), 3)]));
        snapshot.run.target.cpus = None;
        let both = vec![("HYP".to_owned(), 3), ("NEW".to_owned(), 3)];
        assert_eq!(told(&snapshot), Some(both));
        snapshot.machine.interrupts_after = Interrupts::default();
        assert_eq!(told(&snapshot), None);
    }
}
