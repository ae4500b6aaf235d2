//! What the sum of several runs cannot tell, although a run could.

use crate::profile::model::{Profile, Unavailable};

/// A part of a profile that some have.
struct Part {
    what: &'static str,
    is_in: fn(&Profile) -> bool,
    /// Why it is not in the sum, though all runs have it; or nothing if it is.
    reason: Option<&'static str>,
}

/// Said of what would be a sum of some of the runs only.
const NOT_IN_ALL: &str = "these are several runs, and not each of them has it";

const PARTS: [Part; 10] = [
    Part {
        what: "what the program said of its own work",
        is_in: |run| run.io.is_some(),
        reason: Some("these are several runs, and percentiles do not add up"),
    },
    Part {
        what: "entries over time",
        is_in: |run| run.timeline.is_some(),
        reason: Some("these are several runs, each with a time of its own"),
    },
    Part {
        what: "when the program was in which phase",
        is_in: |run| !run.window.phase_spans.is_empty(),
        reason: Some("these are several runs, each with a time of its own"),
    },
    Part {
        what: "time in the kernel",
        is_in: |run| run.ledger.by_cause.iter().any(|row| row.time_ns.is_some()),
        reason: Some("these are several runs, and percentiles do not add up"),
    },
    Part {
        what: "whether polling was really polling",
        is_in: |run| run.polling.is_some(),
        reason: None,
    },
    Part {
        what: "who sent interrupts",
        is_in: |run| run.senders.is_some(),
        reason: None,
    },
    Part {
        what: "what else the CPUs did",
        is_in: |run| run.disturbance.is_some(),
        reason: None,
    },
    Part {
        what: "what the command's processes held",
        is_in: |run| run.memory.process.is_some(),
        reason: None,
    },
    Part {
        what: "returns against entries",
        is_in: |run| run.accounting.audit.is_some(),
        reason: None,
    },
    Part {
        what: "what the command used",
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
        Some(Unavailable {
            what: part.what.to_owned(),
            reason: reason.filter(|_| with != 0)?.to_owned(),
        })
    });
    let mut list: Vec<Unavailable> = parts.collect();
    let mut phases = runs.iter().filter_map(|run| run.polling.as_ref());
    let first = phases.next().map(|polling| &polling.phase);
    if phases.any(|polling| Some(&polling.phase) != first) {
        list.push(Unavailable {
            what: "whether polling was really polling".to_owned(),
            reason: "these are several runs, and not each of them marked a steady state".to_owned(),
        });
    }
    list
}
