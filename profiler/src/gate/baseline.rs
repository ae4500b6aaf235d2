//! Runs against runs of an earlier state. Pure.
//!
//! Every row that either side has is compared: each cause and detail, in each
//! phase if phases are marked. The median of the candidate's runs must not be
//! above the [`ceiling`] of the baseline's; with four runs on both sides the
//! rank-sum test must agree that the two differ.

use std::collections::BTreeSet;

use profiler_common::{
    cause::CauseKind,
    phase::{UNMARKED, fixed_name},
};

use super::{
    budget::Per,
    culprit,
    evidence::{self, Evidence, Sample},
    judge::{Named, blank, described, reasons, verdict},
    judged::Outcome,
    margin::{Nature, ceiling},
    verdict::{Against, Finding, Verdict},
};
use crate::{
    profile::{
        model::Profile,
        selection::{Pattern, PhaseName, Selection},
    },
    stats::{
        bootstrap::median,
        judgement::LEVEL,
        rank_test::{p_value, smallest_p},
    },
};

/// Judges runs by those of an earlier state.
#[must_use]
pub fn against_baseline(runs: &[Named], baseline: &[Named]) -> Verdict {
    let findings = rows(runs, baseline)
        .iter()
        .map(|selection| finding(selection, runs, baseline))
        .collect();
    verdict(Against::Baseline, runs, baseline, findings)
}

/// Every row of either side.
fn rows(runs: &[Named], baseline: &[Named]) -> Vec<Selection> {
    let mut keys: BTreeSet<(CauseKind, &str, Option<&str>)> = BTreeSet::new();
    for named in runs.iter().chain(baseline) {
        let is_marked = !named.profile.window.phases.is_empty();
        for row in &named.profile.ledger.by_cause {
            // What this version does not know makes the whole verdict inconclusive.
            let Some(kind) = row.cause.known() else {
                continue;
            };
            if is_marked {
                let phases = row.phases.keys();
                keys.extend(phases.map(|phase| (kind, row.detail.as_str(), Some(phase.as_str()))));
            } else {
                keys.insert((kind, row.detail.as_str(), None));
            }
        }
    }
    let gone = gone(runs, baseline).into_iter().map(|phase| Selection {
        phase: Some(PhaseName(phase)),
        ..Selection::default()
    });
    keys.into_iter()
        .map(|(kind, detail, phase)| Selection {
            cause: Some(kind),
            detail: Some(Pattern::literal(detail)),
            phase: phase.map(|phase| PhaseName(phase.to_owned())),
            thread: None,
        })
        .chain(gone)
        .collect()
}

/// Phases of the baseline that a run lacks. Where nothing was counted in them,
/// no row tells.
fn gone(runs: &[Named], baseline: &[Named]) -> BTreeSet<String> {
    let mut phases = BTreeSet::new();
    for named in baseline {
        let times = named.profile.window.phases.iter();
        phases.extend(times.map(|phase| phase.name.clone()));
    }
    let unmarked = fixed_name(UNMARKED);
    phases.retain(|phase| {
        let selection = Selection {
            phase: Some(PhaseName(phase.clone())),
            ..Selection::default()
        };
        let lacks = |named: &Named| selection.count(&named.profile).is_err();
        unmarked != Some(phase) && runs.iter().any(lacks)
    });
    phases
}

/// Interrupts come with time, everything else with what the program does.
fn unit(selection: &Selection, all: &[&Profile]) -> Per {
    let comes_with_time = matches!(selection.cause, Some(CauseKind::Interrupt | CauseKind::Nmi));
    let mut times = all.iter().map(|profile| selection.time(profile));
    let is_timed = times.all(|time| time.is_ok_and(|time| time.exact && time.ns != 0));
    if comes_with_time && is_timed {
        Per::Second
    } else {
        Per::Run
    }
}

fn finding(selection: &Selection, runs: &[Named], baseline: &[Named]) -> Finding {
    let both = runs.iter().chain(baseline);
    let all: Vec<&Profile> = both.map(|named| &named.profile).collect();
    let per = unit(selection, &all);
    let of = |side: &[Named]| -> Vec<Evidence> {
        let runs = side.iter();
        runs.map(|named| evidence::of(&named.profile, selection, per))
            .collect()
    };
    let (after, before) = (of(runs), of(baseline));
    let compared = compare(Nature::of(selection), &after, &before);
    let mut said = compared.reasons;
    if compared.outcome != Outcome::Pass {
        said.extend(reasons(runs, &after));
        said.extend(
            reasons(baseline, &before)
                .into_iter()
                .map(|reason| format!("baseline: {reason}")),
        );
    }
    let mut code = Vec::new();
    let mut memory = Vec::new();
    if let Outcome::Warning | Outcome::Breach = compared.outcome {
        let earlier: Vec<Profile> = baseline.iter().map(|named| named.profile.clone()).collect();
        let worst = runs.iter().max_by_key(|named| {
            let count = selection.count(&named.profile);
            count.unwrap_or(0)
        });
        if let Some(worst) = worst {
            code = culprit::code(&worst.profile, selection, &earlier);
            memory = culprit::memory(&worst.profile, selection);
        }
    }
    let values = |side: &[Evidence]| -> Vec<Option<f64>> {
        let samples = side.iter().map(|evidence| evidence.sample);
        samples.map(|sample| sample.map(Sample::value)).collect()
    };
    Finding {
        name: described(selection, per),
        outcome: compared.outcome,
        hard: compared.ceiling,
        judged: compared.judged,
        at_least: after.iter().any(|found| !found.reasons.is_empty()),
        values: values(&after),
        baseline: values(&before),
        is_new: compared.is_new,
        reasons: said,
        code,
        memory,
        ..blank(selection, per)
    }
}

/// What comes of comparing one row.
struct Compared {
    outcome: Outcome,
    ceiling: Option<f64>,
    judged: Option<f64>,
    is_new: bool,
    reasons: Vec<String>,
}

fn compare(nature: Nature, after: &[Evidence], before: &[Evidence]) -> Compared {
    let unknown = Compared {
        outcome: Outcome::Inconclusive,
        ceiling: None,
        judged: None,
        is_new: false,
        reasons: Vec::new(),
    };
    let (Some(ours), Some(theirs)) = (samples(after), samples(before)) else {
        return unknown;
    };
    if ours.is_empty() || theirs.is_empty() {
        return unknown;
    }
    let values = |samples: &[Sample]| -> Vec<f64> {
        let samples = samples.iter();
        samples.map(|sample| sample.value()).collect()
    };
    let (ours_in, theirs_in) = (values(&ours), values(&theirs));
    let each = ours.iter().map(|sample| sample.each).fold(0.0, f64::max);
    let top = ceiling(&theirs, nature, Some(each));
    let is_new = theirs.iter().all(|sample| sample.count == 0)
        && ours.iter().any(|sample| sample.count != 0);
    // A new thing is there if one run has it; of the others the median counts.
    let judged = if is_new {
        ours_in.iter().copied().fold(0.0, f64::max)
    } else {
        median(&mut ours_in.clone())
    };
    let found = Compared {
        ceiling: Some(top),
        judged: Some(judged),
        is_new,
        ..unknown
    };
    // What the baseline lost, it may have had: that it was fewer is not certain.
    let is_known = before.iter().all(|evidence| evidence.reasons.is_empty());
    let is_whole = after.iter().all(|evidence| evidence.reasons.is_empty());
    let are_bounds = after.iter().all(|evidence| evidence.is_bound);
    let is_above = judged > top;
    let can_be_judged = is_known && (is_whole || is_above && are_bounds);
    if !can_be_judged {
        return found;
    }
    let mut reasons = Vec::new();
    if is_new {
        reasons.push("new: the baseline has none".to_owned());
    }
    let p = p_value(&theirs_in, &ours_in);
    let can_tell = smallest_p(theirs.len(), ours.len()) <= LEVEL;
    let outcome = if !is_above && is_new {
        reasons.push("so few may come by chance".to_owned());
        Outcome::Warning
    } else if !is_above {
        Outcome::Pass
    } else if can_tell && p > LEVEL && !is_new {
        reasons.push(format!(
            "above the limit, but the runs of the two sides overlap (p = {p:.2}): not shown to \
             differ"
        ));
        Outcome::Warning
    } else {
        Outcome::Breach
    };
    Compared {
        outcome,
        reasons,
        ..found
    }
}

/// The numbers of all runs, if each has one.
fn samples(evidence: &[Evidence]) -> Option<Vec<Sample>> {
    evidence.iter().map(|evidence| evidence.sample).collect()
}
