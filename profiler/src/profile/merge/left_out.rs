//! What the sum of several runs cannot tell, although a run could.

use crate::{
    gap::{Gap, Unavailable},
    profile::model::Profile,
};

/// A part of a profile that some have.
struct Part {
    gap: Gap,
    is_in: fn(&Profile) -> bool,
    /// Why it is not in the sum, though all runs have it; or nothing if it is.
    reason: Option<&'static str>,
}

/// Said of what would be a sum of some of the runs only.
const NOT_IN_ALL: &str = "these are several runs, and not each of them has it";

const PARTS: [Part; 10] = [
    Part {
        gap: Gap::Io,
        is_in: |run| run.io.is_some(),
        reason: Some("these are several runs, and percentiles do not add up"),
    },
    Part {
        gap: Gap::Timeline,
        is_in: |run| run.timeline.is_some(),
        reason: Some("these are several runs, each with a time of its own"),
    },
    Part {
        gap: Gap::PhaseSpans,
        is_in: |run| !run.window.phase_spans.is_empty(),
        reason: Some("these are several runs, each with a time of its own"),
    },
    Part {
        gap: Gap::KernelTime,
        is_in: |run| run.ledger.by_cause.iter().any(|row| row.time_ns.is_some()),
        reason: Some("these are several runs, and percentiles do not add up"),
    },
    Part {
        gap: Gap::Polling,
        is_in: |run| run.polling.is_some(),
        reason: None,
    },
    Part {
        gap: Gap::Senders,
        is_in: |run| run.senders.is_some(),
        reason: None,
    },
    Part {
        gap: Gap::Disturbance,
        is_in: |run| run.disturbance.is_some(),
        reason: None,
    },
    Part {
        gap: Gap::ProcessMemory,
        is_in: |run| run.memory.process.is_some(),
        reason: None,
    },
    Part {
        gap: Gap::Audit,
        is_in: |run| run.accounting.audit.is_some(),
        reason: None,
    },
    Part {
        gap: Gap::Usage,
        is_in: |run| run.accounting.usage.is_some(),
        reason: None,
    },
];

/// What the sum of these runs leaves out, and why.
pub(super) fn of(runs: &[&Profile]) -> Vec<Unavailable> {
    let parts = PARTS.iter().filter_map(|part| {
        let with = runs.iter().filter(|run| (part.is_in)(run)).count();
        let is_in_some = with != 0 && with != runs.len();
        let reason = part.reason.or(is_in_some.then_some(NOT_IN_ALL));
        let reason = reason.filter(|_| with != 0)?;
        Some(Unavailable::new(part.gap.clone(), reason))
    });
    let mut list: Vec<Unavailable> = parts.collect();
    let mut phases = runs.iter().filter_map(|run| run.polling.as_ref());
    let first = phases.next().map(|polling| &polling.phase);
    if phases.any(|polling| Some(&polling.phase) != first) {
        list.push(Unavailable::new(
            Gap::Polling,
            "these are several runs, and not each of them marked a steady state",
        ));
    }
    list
}
