//! Was polling really polling?

use std::collections::BTreeMap;

use profiler_common::{cause::CauseKind, phase::STEADY};

use super::{
    model::{Ledger, Polling},
    polling_findings,
    rates::{STEADY_NAME, steady_count},
};
use crate::{kernel::interrupts::Interrupts, symbolize::measurement::Measurement};

/// The system call that submits, reaps, or wakes the submission thread.
const ENTER: &str = "io_uring_enter";
/// From here on the submission thread belongs to the process whose ring it is.
const SQ_THREAD_IS_OURS: (u32, u32) = (5, 12);

/// The evidence, if it was asked for.
#[must_use]
pub fn evidence(measurement: &Measurement, ledger: &Ledger) -> Option<Polling> {
    let snapshot = &measurement.snapshot;
    let submissions = snapshot.counts.submissions.as_ref()?;
    let has_steady = snapshot
        .phases
        .times
        .iter()
        .any(|phase| u32::from(phase.number) == STEADY);
    let counted = submissions
        .iter()
        .filter(|row| !has_steady || u32::from(row.phase) == STEADY);
    let (by_sq_thread, by_enter) = counted.fold((0, 0), |(sq, enter), row| {
        (sq + row.by_sq_thread, enter + row.by_enter)
    });
    let enter_calls = ledger
        .by_cause
        .iter()
        .filter(|row| row.cause == CauseKind::Syscall && row.detail == ENTER)
        .map(|row| {
            if has_steady {
                steady_count(row)
            } else {
                row.count
            }
        })
        .sum();
    let mut polling = Polling {
        phase: has_steady.then(|| STEADY_NAME.to_owned()),
        sqes_by_sq_thread: knows_sq_threads(&snapshot.machine.host.kernel).then_some(by_sq_thread),
        sqes_by_enter: by_enter,
        enter_calls,
        device_irqs: device_irqs(
            &snapshot.machine.interrupts_before,
            &snapshot.machine.interrupts_after,
        ),
        poll_queues: snapshot.machine.poll_queues.clone(),
        findings: Vec::new(),
    };
    polling.findings = polling_findings::of(&polling, measurement.io.as_ref());
    Some(polling)
}

/// Whether a kernel of this release runs submission threads within the process.
fn knows_sq_threads(release: &str) -> bool {
    let mut numbers = release
        .split(['.', '-'])
        .map_while(|part| part.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    version >= SQ_THREAD_IS_OURS
}

/// Interrupts of each device between two readings, devices without any left out.
fn device_irqs(before: &Interrupts, after: &Interrupts) -> BTreeMap<String, u64> {
    let mut irqs = BTreeMap::new();
    for label in after.lines.keys() {
        let Ok(irq) = label.parse::<u32>() else {
            continue;
        };
        let total = |table: &Interrupts| -> u64 {
            table
                .lines
                .get(label)
                .map_or(0, |line| line.counts.iter().sum())
        };
        let count = total(after).saturating_sub(total(before));
        if count != 0 {
            let name = after
                .device(irq)
                .map_or_else(|| format!("irq{irq}"), str::to_owned);
            *irqs.entry(name).or_default() += count;
        }
    }
    irqs
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Releases are compared as numbers, whatever is behind them.
    #[test]
    fn releases() {
        assert!(!knows_sq_threads("5.10.0-32-amd64"));
        assert!(knows_sq_threads("5.12.0"));
        assert!(knows_sq_threads("6.1.0-56-amd64"));
        assert!(!knows_sq_threads(""));
    }

    /// Only devices that interrupted are named, and the timer is no device.
    #[test]
    fn devices_that_interrupted() {
        let before = "CPU0 CPU1\n 36: 5 5 PCI nvme0q1\n 37: 1 1 PCI nvme0q2\n LOC: 1 1 Local\n";
        let after = "CPU0 CPU1\n 36: 7 6 PCI nvme0q1\n 37: 1 1 PCI nvme0q2\n LOC: 9 9 Local\n";
        let irqs = device_irqs(&Interrupts::parse(before), &Interrupts::parse(after));
        assert_eq!(irqs, BTreeMap::from([("nvme0q1".to_owned(), 3)]));
    }
}
