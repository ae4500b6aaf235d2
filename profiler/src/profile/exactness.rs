//! Whether counts are exact, and if not, why. Pure.
//!
//! The one rule: the headline, the reports, the gate, the comparison and the
//! experiment all ask [`doubts`].

use std::iter::repeat;

use nix::sys::signal::Signal;
use profiler_common::{cause::CauseKind, fault::FaultKind, loss::Loss};

use super::{
    model::{CheckVerdict, Profile, Untimed},
    purpose::told_apart,
    selection::Selection,
};
use crate::{
    classify::purpose::NOT_TOLD,
    collect::snapshot::Snapshot,
    digits::count,
    document::run::Interruption,
    gap::{Concealed, Gap, Unavailable},
};

/// Losses of ours that cost no entry.
pub(super) const OF_PLACES: [&str; 3] = [
    "mapping_records_lost",
    "mappings_not_kept",
    "allocations_not_kept",
];

/// A reason why a count may not be what it seems.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// What there is to doubt.
    pub ground: Ground,
    /// In words.
    pub reason: String,
}

/// What there is to doubt. The counts that it concerns are lower bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ground {
    /// Events that the kernel did not show.
    Missed,
    /// Something could not be kept; or nothing that this version knows.
    Lost(Option<Loss>),
    /// The ledger had no room for all rows.
    LedgerFull,
    /// Returns and entries do not come out.
    Audit,
    /// A cross-check failed.
    CrossCheck,
    /// Entries that could belong to any cause.
    Unclassified,
    /// Something cannot be seen here.
    Gap(Gap),
    /// Some page faults are of an unknown kind.
    FaultKinds,
    /// Some call-function interrupts are of an unknown purpose.
    Purposes,
    /// A command ran, and nothing was counted.
    Nothing,
    /// The document says so, and no more is known.
    Said,
    /// The run is not whole: its counts are lower bounds of a whole run's, and
    /// its rates tell nothing.
    CutShort,
}

impl Ground {
    /// The code in documents.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Gap(gap) if gap.conceals().contains(&Concealed::Everything) => "missed",
            Self::Missed => "missed",
            Self::Lost(_) => "lost",
            Self::LedgerFull => LEDGER_FULL,
            Self::Audit => "audit",
            Self::CrossCheck => "cross_check",
            Self::Unclassified => "unclassified",
            Self::Gap(_) => CONCEALED,
            Self::FaultKinds => "fault_kinds",
            Self::Purposes => "purposes",
            Self::Nothing => NOTHING,
            Self::Said => SAID,
            Self::CutShort => "cut_short",
        }
    }
}

/// The code of a full ledger.
pub const LEDGER_FULL: &str = "ledger_full";
/// The code of entries that are in no count; the other counts are right.
pub const CONCEALED: &str = "unavailable";
const NOTHING: &str = "nothing_counted";
/// The code of what an older or newer version said.
pub(super) const SAID: &str = "other";

impl Doubt {
    fn new(ground: Ground, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self { ground, reason }
    }

    /// Whether it puts the count of a selection in doubt.
    #[must_use]
    pub fn concerns(&self, selection: &Selection) -> bool {
        let names_kind = || {
            selection
                .cause
                .is_none_or(|cause| cause == CauseKind::PageFault)
                && selection.detail.is_some()
        };
        match &self.ground {
            Ground::Missed
            | Ground::LedgerFull
            | Ground::Audit
            | Ground::CrossCheck
            | Ground::Nothing
            | Ground::Said
            | Ground::CutShort
            | Ground::Lost(
                None
                | Some(
                    Loss::LedgerFull
                    | Loss::ThreadTableFull
                    | Loss::OriginUnknown
                    | Loss::RegistersUnreadable
                    | Loss::ThreadEndUnseen,
                ),
            ) => true,
            Ground::Unclassified => selection
                .cause
                .is_some_and(|cause| cause != CauseKind::Unclassified),
            Ground::Gap(gap) => selection.is_concealed_by(gap),
            Ground::FaultKinds
            | Ground::Lost(Some(Loss::FaultUnreadable | Loss::MajorUnmatched)) => names_kind(),
            Ground::Purposes | Ground::Lost(Some(Loss::PurposeFull)) => selection.names_purpose(),
            Ground::Lost(Some(Loss::ThreadInfoFull)) => selection.thread.is_some(),
            Ground::Lost(Some(
                Loss::StackLost
                | Loss::UserStackLost
                | Loss::SenderStackLost
                | Loss::StackLedgerFull
                | Loss::SenderFull
                | Loss::DisturbanceFull
                | Loss::MappingTableFull
                | Loss::PageTableFull
                | Loss::MappingLost
                | Loss::AllocationLost,
            )) => false,
        }
    }

    /// Whether the counts as a whole are not exact for it. A run that was cut
    /// short is exact as far as it went.
    fn is_of_whole(&self) -> bool {
        let is_cut = self.ground == Ground::CutShort;
        let is_unclassified = self.ground == Ground::Unclassified;
        !is_cut && (is_unclassified || self.concerns(&Selection::default()))
    }
}

/// Every reason to doubt any count of a run.
#[must_use]
pub fn doubts(profile: &Profile) -> Vec<Doubt> {
    let mut doubts = losses(profile);
    doubts.extend(contradictions(profile));
    let unclassified = profile.accounting.unclassified;
    if unclassified != 0 {
        doubts.push(Doubt::new(
            Ground::Unclassified,
            format!(
                "{} entries are unclassified, and may have had any cause",
                count(unclassified)
            ),
        ));
    }
    doubts.extend(unseen(profile));
    if is_empty(profile) && !profile.target.command.is_empty() {
        doubts.push(Doubt::new(
            Ground::Nothing,
            "nothing was counted, although a command ran: its beginning was missed",
        ));
    }
    let accounting = &profile.accounting;
    let codes = accounting.inexact_codes.iter().map(String::as_str);
    let said = accounting.inexact.iter().zip(codes.chain(repeat(SAID)));
    let said = said.filter(|(_, code)| !TOLD.contains(code));
    doubts.extend(said.map(|(reason, _)| Doubt::new(Ground::Said, reason)));
    let cut = ending(profile);
    doubts.extend(cut.map(|reason| Doubt::new(Ground::CutShort, reason)));
    doubts
}

fn is_empty(profile: &Profile) -> bool {
    let rows = &profile.ledger.by_cause;
    profile.ledger.total == 0 && rows.iter().all(|row| row.count == 0)
}

/// Says in the document whether the counts are exact. What a document said for
/// reasons that its other numbers tell is told anew, in one place's words.
pub fn settle(profile: &mut Profile) {
    forget_impossible_times(profile);
    say(profile);
}

/// Says whether the counts are exact.
pub(super) fn say(profile: &mut Profile) {
    let accounting = &mut profile.accounting;
    let codes = std::mem::take(&mut accounting.inexact_codes);
    let codes = codes.into_iter().map(Some).chain(repeat(None));
    let said = std::mem::take(&mut accounting.inexact);
    for (reason, code) in said.into_iter().zip(codes) {
        // The only place that knows these by their words: documents from before
        // there were codes.
        let is_told = match &code {
            Some(code) => TOLD.contains(&code.as_str()),
            None => DERIVED.iter().any(|words| reason.contains(words)),
        };
        if code.is_none() && reason.starts_with("the preemption model is ") {
            let gap = Unavailable::new(Gap::SkippedKprobe, reason);
            if !accounting.unavailable.contains(&gap) {
                accounting.unavailable.push(gap);
            }
        } else if !is_told {
            accounting.inexact.push(reason);
        }
    }
    let inexact: Vec<Doubt> = doubts(profile)
        .into_iter()
        .filter(Doubt::is_of_whole)
        .collect();
    let accounting = &mut profile.accounting;
    accounting.inexact_codes = inexact
        .iter()
        .map(|doubt| doubt.ground.code().to_owned())
        .collect();
    accounting.inexact = inexact.into_iter().map(|doubt| doubt.reason).collect();
}

/// Phases come one after another: if their times are together longer than the
/// window, none of them is known. A program may mark while the window closes.
fn forget_impossible_times(profile: &mut Profile) {
    let window = &mut profile.window;
    let times = window.phases.iter().filter_map(|phase| phase.duration_ns);
    let most = window
        .duration_ns
        .saturating_add(window.duration_ns / 1_000);
    let most = most.saturating_add(1_000_000);
    if times.fold(0, u64::saturating_add) <= most {
        return;
    }
    for phase in &mut window.phases {
        (phase.duration_ns, phase.exact) = (None, false);
        phase.untimed = Some(Untimed::BeyondWindow);
    }
    profile.ledger.rates.steady_per_second = None;
}

/// Codes of what the document's other numbers tell.
const TOLD: [&str; 8] = [
    NOTHING,
    "missed",
    "lost",
    LEDGER_FULL,
    "audit",
    "cross_check",
    "unclassified",
    CONCEALED,
];

/// What older documents say of what their other numbers tell.
const DERIVED: [&str; 4] = [
    " events over while a program of ours was already running",
    " threads could not be followed, since",
    " interrupts may have come from user mode or not",
    " returns could not be told apart, since",
];

/// Why no conclusion may be drawn from the counts of these causes in a run.
#[must_use]
pub fn unsound(profile: &Profile, causes: &[CauseKind]) -> Vec<String> {
    let selection = |&cause: &CauseKind| Selection {
        cause: Some(cause),
        ..Selection::default()
    };
    let selections: Vec<Selection> = causes.iter().map(selection).collect();
    let concerns = |doubt: &Doubt| selections.iter().any(|one| doubt.concerns(one));
    let doubts = doubts(profile).into_iter().filter(concerns);
    doubts.map(|doubt| doubt.reason).collect()
}

/// What was missed or lost.
fn losses(profile: &Profile) -> Vec<Doubt> {
    let accounting = &profile.accounting;
    let mut doubts = Vec::new();
    let missed = accounting.misses.iter().filter_map(|miss| miss.count);
    let missed = missed.fold(0, u64::saturating_add);
    if missed != 0 {
        doubts.push(Doubt::new(
            Ground::Missed,
            format!(
                "the kernel passed {} events over while a program of ours was already running on \
                 that CPU: so many entries at most are missing",
                count(missed)
            ),
        ));
    }
    let without_detail = accounting.map_full;
    let full = accounting.losses.get(Loss::LedgerFull.name()).copied();
    let full = full.unwrap_or(0).max(without_detail);
    if full != 0 {
        // An audit sees each entry's return, too.
        let uncounted = match full - without_detail {
            0 => String::new(),
            returns => format!(", and {} returns could not be kept", count(returns)),
        };
        doubts.push(Doubt::new(
            Ground::LedgerFull,
            format!(
                "the ledger was full: {} entries are counted without thread, phase and \
                 detail{uncounted}; measure with a larger `--ledger-rows`",
                count(without_detail)
            ),
        ));
    }
    for (name, &lost) in &accounting.losses {
        let loss = Loss::from_name(name);
        if lost == 0 || loss == Some(Loss::LedgerFull) || OF_PLACES.contains(&name.as_str()) {
            continue;
        }
        let words = match loss {
            Some(Loss::ThreadTableFull) => {
                "threads could not be followed, since the table of threads was full: their \
                 entries are missing"
            }
            Some(Loss::OriginUnknown) => {
                "interrupts may have come from user mode or not: they are missing"
            }
            Some(Loss::ThreadEndUnseen) => {
                "threads were gone before their end was seen: the calls by which they ended are \
                 missing"
            }
            Some(Loss::RegistersUnreadable) => {
                "returns could not be told apart, since their registers could not be read: they \
                 are missing"
            }
            _ => "",
        };
        let reason = if words.is_empty() {
            format!("{}: {}", name.replace('_', " "), count(lost))
        } else {
            format!("{} {words}", count(lost))
        };
        doubts.push(Doubt::new(Ground::Lost(loss), reason));
    }
    doubts
}

/// Numbers that should agree and do not.
fn contradictions(profile: &Profile) -> Vec<Doubt> {
    let audit = profile.accounting.audit.iter();
    let audit = audit.filter(|audit| audit.difference != 0).map(|audit| {
        Doubt::new(
            Ground::Audit,
            format!(
                "the audit does not come out: {} returns, {} entries",
                count(audit.exits),
                count(audit.entries)
            ),
        )
    });
    let checks = profile.accounting.cross_checks.iter();
    let failed = checks.filter(|check| check.verdict == CheckVerdict::Inconsistent);
    let failed = failed.map(|check| {
        Doubt::new(
            Ground::CrossCheck,
            format!(
                "{}: {} here and {} by {}, which cannot both be true",
                check.what,
                count(check.ours),
                count(check.theirs),
                check.source
            ),
        )
    });
    audit.chain(failed).collect()
}

/// What this kernel or these probes cannot show.
fn unseen(profile: &Profile) -> Vec<Doubt> {
    let list = profile.accounting.unavailable.iter();
    let mut doubts: Vec<Doubt> = list
        .filter(|item| !item.gap.conceals().is_empty())
        .map(|item| {
            let is_entries = |concealed: &_| matches!(concealed, Concealed::Entries(..));
            let concealed = item.gap.conceals();
            let how = if concealed.iter().any(is_entries) {
                "are in no count"
            } else {
                "cannot be told"
            };
            let reason = format!("{} {how}: {}", item.gap, item.reason);
            Doubt::new(Ground::Gap(item.gap.clone()), reason)
        })
        .collect();
    let mut rows = profile.ledger.by_cause.iter();
    let has_unknown = rows.any(|row| {
        row.cause == CauseKind::PageFault
            && row.detail == FaultKind::Unknown.name()
            && row.count != 0
    });
    if has_unknown {
        let reason = "the kind of some page faults is unknown";
        doubts.push(Doubt::new(Ground::FaultKinds, reason));
    }
    let rows = profile.ledger.by_cause.iter();
    let untold = rows
        .filter(|row| told_apart(&row.cause, &row.detail).is_some())
        .map(|row| {
            let told = row.purposes.iter().filter(|part| part.purpose != NOT_TOLD);
            told.fold(row.count, |left, part| left.saturating_sub(part.count))
        })
        .fold(0, u64::saturating_add);
    if untold != 0 {
        let reason = format!("what {} interrupts were for was not told", count(untold));
        doubts.push(Doubt::new(Ground::Purposes, reason));
    }
    doubts
}

/// Why the run is not a whole one.
fn ending(profile: &Profile) -> Option<String> {
    let exit = &profile.exit;
    if let Some(by) = &exit.interrupted_by {
        // That was asked for, and is the same each time.
        let is_asked_for = *by == Interruption::Duration;
        return (!is_asked_for).then(|| format!("the run was interrupted by {by}"));
    }
    if let Some(signal) = exit.signal {
        let name = Signal::try_from(signal).map_or_else(
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

/// Why the counts of a kprobe are a lower bound here, if they are.
///
/// The kernel passes over kprobe programs while a task that was preempted on
/// that CPU is inside `bpf()`. Where nothing is preempted in the kernel, that
/// cannot be; and up to 6.17 or so nobody counts what is passed over.
pub(super) fn skipped_kprobe(snapshot: &Snapshot) -> Option<Unavailable> {
    let hook = snapshot
        .probes
        .families
        .exit
        .filter(|hook| hook.is_kprobe())?;
    // A kernel that was not built to be preempted does not say so anywhere.
    let preemption = snapshot.machine.host.preemption.as_deref()?;
    if matches!(preemption, "none" | "voluntary") {
        return None;
    }
    let reason = format!(
        "the preemption model is {preemption}: while a task that is preempted in bpf() waits for \
         its CPU, the kernel skips the kprobe on {} there, and not every kernel counts that. The \
         counts are a lower bound; `--backend fentry` is exact",
        hook.function()
    );
    Some(Unavailable::new(Gap::SkippedKprobe, reason))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        probe::backend::{ExitHook, Families},
        profile::{
            build,
            model::{Audit, CauseRow, CrossCheck, Miss, PhaseTime},
        },
        symbolize::measurement::Measurement,
    };

    fn measurement(hook: ExitHook, preemption: Option<&str>) -> Measurement {
        let mut snapshot = Snapshot::default();
        snapshot.probes.families = Families {
            entry: false,
            exit: Some(hook),
        };
        snapshot.machine.host.preemption = preemption.map(str::to_owned);
        snapshot.into()
    }

    fn exact() -> Profile {
        build::profile(&measurement(ExitHook::FentryFpregs, None))
    }

    /// The codes of why a profile that was exact is not, once this was done to it.
    fn why(spoil: impl FnOnce(&mut Profile)) -> Vec<String> {
        let mut profile = exact();
        assert_eq!(profile.accounting.inexact_codes, Vec::<String>::new());
        spoil(&mut profile);
        settle(&mut profile);
        let accounting = profile.accounting;
        assert_eq!(accounting.inexact_codes.len(), accounting.inexact.len());
        accounting.inexact_codes
    }

    /// A kprobe is in doubt wherever a task can be preempted in the kernel, and
    /// a trampoline nowhere.
    #[test]
    fn preemption_puts_kprobes_in_doubt() {
        let doubted = |hook, model| {
            let profile = build::profile(&measurement(hook, model));
            !profile.accounting.inexact.is_empty()
        };
        for model in ["full", "lazy", "preempt_dynamic", "preempt_rt"] {
            assert!(doubted(ExitHook::KprobeFpregs, Some(model)), "{model}");
            assert!(!doubted(ExitHook::FentryFpregs, Some(model)), "{model}");
        }
        for model in [None, Some("none"), Some("voluntary")] {
            assert!(!doubted(ExitHook::KprobePrepare, model), "{model:?}");
        }
    }

    /// Whatever an entry can be lost by, whatever is contradicted and whatever
    /// is in no count makes the counts inexact; a lost detail does not.
    #[test]
    fn one_rule_says_what_is_exact() {
        let lose = |loss: Loss| {
            why(|p| {
                p.accounting.losses.insert(loss.name().to_owned(), 5);
            })
        };
        assert_eq!(lose(Loss::StackLost), Vec::<String>::new());
        assert_eq!(lose(Loss::FaultUnreadable), Vec::<String>::new());
        assert_eq!(lose(Loss::OriginUnknown), ["lost"]);
        assert_eq!(lose(Loss::LedgerFull), ["ledger_full"]);
        let unheard_of = why(|p| {
            p.accounting.losses.insert("novel".to_owned(), 1);
        });
        assert_eq!(unheard_of, ["lost"]);
        let missed = why(|p| {
            p.accounting.misses = vec![Miss {
                program: "sys_exit".to_owned(),
                count: Some(1_234),
            }];
        });
        assert_eq!(missed, ["missed"]);
        let audit = why(|p| {
            p.accounting.audit = Some(Audit {
                difference: -2_500,
                ..Audit::default()
            });
        });
        assert_eq!(audit, ["audit"]);
        let check = why(|p| {
            p.accounting.cross_checks = vec![CrossCheck {
                verdict: CheckVerdict::Inconsistent,
                ..CrossCheck::default()
            }];
        });
        assert_eq!(check, ["cross_check"]);
        assert_eq!(why(|p| p.accounting.unclassified = 3), ["unclassified"]);
        let see = |gap: Gap| why(|p| p.accounting.unavailable.push(Unavailable::new(gap, "so")));
        assert_eq!(see(Gap::Exceptions), ["unavailable"]);
        assert_eq!(see(Gap::FaultKind), Vec::<String>::new());
        let cut = why(|p| p.exit.code = Some(1));
        assert_eq!(cut, Vec::<String>::new());
    }

    /// A command makes system calls: a run of none has missed its beginning.
    #[test]
    fn nothing_counted_is_no_count() {
        assert_eq!(
            why(|p| p.target.command = vec!["a".to_owned()]),
            ["nothing_counted"]
        );
        let counted = why(|p| {
            p.target.command = vec!["a".to_owned()];
            p.ledger.by_cause.push(CauseRow {
                count: 1,
                ..CauseRow::default()
            });
        });
        assert_eq!(counted, Vec::<String>::new());
    }

    /// Ten calls a second are not "held" by a phase that lasted longer than the
    /// run: its time is not known.
    #[test]
    fn phases_fit_into_the_window() {
        let timed = |ns: [u64; 2]| {
            let mut profile = exact();
            profile.window.duration_ns = 1_000_000_000;
            let phase = |(name, ns): (&str, u64)| PhaseTime {
                number: 1,
                name: name.to_owned(),
                duration_ns: Some(ns),
                untimed: None,
                exact: true,
            };
            let phases = ["setup", "steady"].into_iter().zip(ns).map(phase);
            profile.window.phases = phases.collect();
            profile.ledger.rates.steady_per_second = Some(1.0);
            settle(&mut profile);
            let phases = profile.window.phases.iter();
            let untimed: Vec<_> = phases.map(|phase| phase.untimed).collect();
            (untimed, profile.ledger.rates.steady_per_second)
        };
        assert_eq!(
            timed([300_000_000, 700_000_000]),
            (vec![None; 2], Some(1.0))
        );
        let beyond = (vec![Some(Untimed::BeyondWindow); 2], None);
        assert_eq!(timed([300_000_000, 800_000_000]), beyond);
        assert_eq!(timed([u64::MAX, u64::MAX]), beyond);
    }

    /// What a document said is kept, once; what older versions said of numbers
    /// that are in the document is said anew.
    #[test]
    fn what_was_said_is_kept_once() {
        let mut profile = exact();
        profile.accounting.misses = vec![Miss {
            program: "p".to_owned(),
            count: Some(2_000),
        }];
        profile.accounting.inexact = vec![
            "the kernel passed 2000 events over while a program of ours was already running on \
             that CPU: so many entries at most are missing"
                .to_owned(),
            "the preemption model is full: so".to_owned(),
            "for a reason of its own".to_owned(),
        ];
        for _ in 0..2 {
            settle(&mut profile);
            let codes = &profile.accounting.inexact_codes;
            assert_eq!(codes[..], ["missed", "missed", "other"]);
            assert_eq!(profile.accounting.inexact[2], "for a reason of its own");
        }
    }
}
