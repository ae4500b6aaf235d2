//! Why a count may not be what it seems. Pure.
//!
//! A run in which anything was lost that the selected entries may have been
//! among is never judged to be within a limit. It may still be judged to be
//! above one: a count is never too high.

use profiler_common::{cause::CauseKind, fault::FaultKind, loss::Loss};

use crate::{
    digits::count,
    profile::{
        model::{CheckVerdict, Profile},
        selection::Selection,
    },
};

/// A reason for doubt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Doubt {
    /// What is left of the number.
    pub(super) kind: DoubtKind,
    /// In words.
    pub(super) reason: String,
}

/// What is left of a number in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DoubtKind {
    /// It is a lower bound: there may be more entries.
    Loss,
    /// The run is not whole. Its counts are lower bounds of a whole run's, and
    /// its rates tell nothing.
    CutShort,
}

/// Every reason to doubt the count of a selection.
pub(super) fn all(profile: &Profile, selection: &Selection) -> Vec<Doubt> {
    let mut reasons = losses(profile, selection);
    reasons.extend(contradictions(profile));
    reasons.extend(unclassified(profile, selection));
    reasons.extend(unseen(profile, selection));
    let lost = reasons.into_iter().map(|reason| Doubt {
        kind: DoubtKind::Loss,
        reason,
    });
    let cut = ending(profile).into_iter().map(|reason| Doubt {
        kind: DoubtKind::CutShort,
        reason,
    });
    lost.chain(cut).collect()
}

/// Whether these probes cannot see all of the selected entries.
pub(super) fn is_blind(profile: &Profile, selection: &Selection) -> bool {
    !unseen(profile, selection).is_empty()
}

/// What was lost.
fn losses(profile: &Profile, selection: &Selection) -> Vec<String> {
    let accounting = &profile.accounting;
    let mut reasons = accounting.inexact.clone();
    let missed: u64 = accounting
        .misses
        .iter()
        .filter_map(|miss| miss.count)
        .fold(0, u64::saturating_add);
    if missed != 0 && reasons.is_empty() {
        reasons.push(format!("the probes missed {} events", count(missed)));
    }
    let full = accounting.losses.get(Loss::LedgerFull.name()).copied();
    let full = full.unwrap_or(0).max(accounting.map_full);
    if full != 0 {
        reasons.push(format!(
            "the ledger was full: {} entries are counted without thread, phase and detail; \
             measure with a larger `--ledger-rows`",
            count(full)
        ));
    }
    for (name, &lost) in &accounting.losses {
        let known = Loss::ALL.iter().find(|loss| loss.name() == name);
        if lost != 0 && matters(known.copied(), name, selection) {
            reasons.push(format!("{}: {}", name.replace('_', " "), count(lost)));
        }
    }
    reasons
}

/// Losses of ours that cost no entry.
const OF_PLACES: [&str; 3] = [
    "mapping_records_lost",
    "mappings_not_kept",
    "allocations_not_kept",
];

/// Whether a loss puts the selected count in doubt, beyond what is said in
/// `inexact` and of the full ledger.
fn matters(loss: Option<Loss>, name: &str, selection: &Selection) -> bool {
    match loss {
        // Those of a newer version may be anything.
        None => !OF_PLACES.contains(&name),
        Some(
            Loss::LedgerFull
            | Loss::StackLost
            | Loss::StackLedgerFull
            | Loss::PurposeFull
            | Loss::SenderFull
            | Loss::DisturbanceFull
            | Loss::MappingTableFull
            | Loss::PageTableFull
            | Loss::MappingLost
            | Loss::AllocationLost,
        ) => false,
        Some(Loss::ThreadTableFull | Loss::OriginUnknown | Loss::RegistersUnreadable) => true,
        Some(Loss::ThreadInfoFull) => selection.thread.is_some(),
        Some(Loss::FaultUnreadable | Loss::MajorUnmatched) => kinds_of_faults(selection),
    }
}

/// Whether page faults of only some kinds are meant.
fn kinds_of_faults(selection: &Selection) -> bool {
    may_include(selection, CauseKind::PageFault) && selection.detail.is_some()
}

fn may_include(selection: &Selection, kind: CauseKind) -> bool {
    selection.cause.is_none_or(|cause| cause == kind)
}

/// Numbers that should agree and do not.
fn contradictions(profile: &Profile) -> Vec<String> {
    let accounting = &profile.accounting;
    let audit = accounting
        .audit
        .iter()
        .filter(|audit| audit.difference != 0);
    let audit = audit.map(|audit| {
        format!(
            "the audit does not come out: {} returns, {} entries",
            count(audit.exits),
            count(audit.entries)
        )
    });
    let checks = accounting.cross_checks.iter();
    let failed = checks.filter(|check| check.verdict == CheckVerdict::Inconsistent);
    let failed = failed.map(|check| {
        format!(
            "{}: {} here and {} by {}, which cannot both be true",
            check.what,
            count(check.ours),
            count(check.theirs),
            check.source
        )
    });
    audit.chain(failed).collect()
}

/// Entries that could belong to any cause.
fn unclassified(profile: &Profile, selection: &Selection) -> Option<String> {
    let total = profile.accounting.unclassified;
    let is_apart = selection
        .cause
        .is_none_or(|cause| cause == CauseKind::Unclassified);
    (total != 0 && !is_apart).then(|| {
        format!(
            "{} entries are unclassified, and may have had this cause",
            count(total)
        )
    })
}

/// What this kernel or these probes cannot show of the selection.
fn unseen(profile: &Profile, selection: &Selection) -> Vec<String> {
    let list = profile.accounting.unavailable.iter();
    let relevant = list.filter(|item| selection.is_concealed_by(&item.gap));
    let mut reasons: Vec<String> = relevant
        .map(|item| format!("{} cannot be told: {}", item.gap, item.reason))
        .collect();
    let unknown = FaultKind::Unknown.name();
    let mut rows = profile.ledger.by_cause.iter();
    let has_unknown = rows.any(|row| {
        row.cause == CauseKind::PageFault.name() && row.detail == unknown && row.count != 0
    });
    if has_unknown && kinds_of_faults(selection) && reasons.is_empty() {
        reasons.push("the kind of some page faults is unknown".to_owned());
    }
    reasons
}

/// Why the run is not a whole one.
fn ending(profile: &Profile) -> Option<String> {
    let exit = &profile.exit;
    match exit.interrupted_by.as_deref() {
        // That was asked for, and is the same each time.
        Some("duration") => return None,
        Some(signal) => return Some(format!("the run was interrupted by {signal}")),
        None => {}
    }
    if let Some(signal) = exit.signal {
        let name = nix::sys::signal::Signal::try_from(signal).map_or_else(
            |_unknown| format!("signal {signal}"),
            |signal| signal.as_str().to_owned(),
        );
        return Some(format!("the command was killed by {name}"));
    }
    if let Some(code) = exit.code.filter(|&code| code != 0) {
        return Some(format!("the command failed with status {code}"));
    }
    let is_command = !profile.target.command.is_empty();
    (is_command && exit.left_running != 0).then(|| {
        format!(
            "{} threads of the command still ran when it ended, and were not counted any more",
            exit.left_running
        )
    })
}
