//! Runs against a budget. Pure.
//!
//! Every run has to keep every limit: the largest decides.

use super::{
    budget::{Bound, Limit},
    culprit,
    evidence::{self, Evidence, Standing},
    judged::Outcome,
    parse::Parsed,
    verdict::{Against, Finding, KIND, Run, Verdict},
};
use crate::{
    gap::{Concealed, Gap},
    profile::{
        model::{Profile, SCHEMA_VERSION},
        selection::Selection,
    },
};

/// A profile and what to call it.
#[derive(Clone, Debug)]
pub struct Named {
    /// Its file, or `run 1`.
    pub name: String,
    /// The profile.
    pub profile: Profile,
}

/// Judges runs by a budget that was read from a file.
#[must_use]
pub fn against_budget(parsed: &Parsed, file: &str, runs: &[Named]) -> Verdict {
    let limits = parsed.budget.limits.iter();
    let mut lines = parsed.lines.iter().copied();
    let findings: Vec<Finding> = limits
        .map(|limit| finding(limit, lines.next(), runs))
        .collect();
    let against = Against::Budget {
        file: file.to_owned(),
    };
    verdict(against, runs, &[], findings)
}

/// Puts findings together.
pub(super) fn verdict(
    against: Against,
    runs: &[Named],
    baseline: &[Named],
    findings: Vec<Finding>,
) -> Verdict {
    let worst = findings.iter().map(|finding| finding.outcome).max();
    let mut notes = notes(runs, baseline);
    let mut outcome = match (worst, runs) {
        (Some(worst), [_, ..]) => worst,
        // Nothing judged is nothing passed.
        (_, []) | (None, _) => Outcome::Inconclusive,
    };
    if let Some(cause) = unknown_cause(runs).or_else(|| unknown_cause(baseline)) {
        outcome = outcome.max(Outcome::Inconclusive);
        notes.push(format!(
            "there are entries of the cause `{cause}`, which this version does not know: use the \
             version that measured them, or a newer one"
        ));
    }
    Verdict {
        schema_version: SCHEMA_VERSION,
        kind: KIND.to_owned(),
        tool: crate::profile::build::tool(),
        outcome,
        against,
        notes,
        runs: runs.iter().map(run).collect(),
        baseline: baseline.iter().map(run).collect(),
        findings,
    }
}

/// A cause that no limit can be on.
fn unknown_cause(runs: &[Named]) -> Option<&str> {
    let mut rows = runs.iter().flat_map(|named| &named.profile.ledger.by_cause);
    rows.find(|row| row.cause.known().is_none())
        .map(|row| row.cause.as_str())
}

fn run(named: &Named) -> Run {
    let profile = &named.profile;
    Run {
        name: named.name.clone(),
        command: profile.target.command.clone(),
        backend: profile.backend.clone(),
        kernel: profile.host.kernel.clone(),
        duration_ns: profile.window.duration_ns,
        total: profile.ledger.total,
    }
}

/// What should be known besides: entries that no limit names and no probe saw,
/// and runs that are not alike.
fn notes(runs: &[Named], baseline: &[Named]) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    let mut say = |note: String| {
        if !notes.contains(&note) {
            notes.push(note);
        }
    };
    for named in runs {
        for item in &named.profile.accounting.unavailable {
            let is_entries = |concealed: &_| matches!(concealed, Concealed::Entries(..));
            if item.gap.conceals().iter().any(is_entries) {
                say(format!(
                    "{} are in no count, the total included: {}",
                    item.gap, item.reason
                ));
            } else if item.gap == Gap::Misses {
                say(format!("{} are not known: {}", item.gap, item.reason));
            }
        }
    }
    let all = || runs.iter().chain(baseline).map(|named| &named.profile);
    let differ = |what: &str, of: fn(&Profile) -> String| {
        let mut values: Vec<String> = all().map(of).collect();
        values.sort();
        values.dedup();
        (values.len() > 1)
            .then(|| format!("the runs differ in their {what}: {}", values.join("; ")))
    };
    let differences = [
        differ("command", |profile| profile.target.command.join(" ")),
        differ("kernel", |profile| profile.host.kernel.clone()),
        differ("probes", |profile| profile.backend.name.to_string()),
    ];
    differences.into_iter().flatten().for_each(&mut say);
    notes
}

fn finding(limit: &Limit, line: Option<usize>, runs: &[Named]) -> Finding {
    let evidence: Vec<Evidence> = runs
        .iter()
        .map(|named| evidence::of(&named.profile, &limit.selection, limit.per))
        .collect();
    let outcome = evidence
        .iter()
        .map(|evidence| outcome(evidence, limit.hard, limit.soft))
        .max()
        .unwrap_or(Outcome::Inconclusive);
    let value = |evidence: &Evidence| evidence.sample.map(evidence::Sample::value);
    let values: Vec<Option<f64>> = evidence.iter().map(value).collect();
    let worst = (0..runs.len())
        .filter(|&place| values[place].is_some())
        .max_by(|&a, &b| {
            values[a]
                .unwrap_or(0.0)
                .total_cmp(&values[b].unwrap_or(0.0))
        });
    let is_kept = outcome == Outcome::Pass;
    let mut code = Vec::new();
    let mut memory = Vec::new();
    if let (Some(worst), Outcome::Warning | Outcome::Breach) = (worst, outcome) {
        code = culprit::code(&runs[worst].profile, &limit.selection, &[]);
        memory = culprit::memory(&runs[worst].profile, &limit.selection);
    }
    Finding {
        name: name(limit),
        outcome,
        hard: limit.hard.map(Bound::value),
        soft: limit.soft.map(Bound::value),
        judged: worst.and_then(|place| values[place]),
        at_least: evidence.iter().any(|found| !found.reasons.is_empty()),
        reasons: if is_kept {
            Vec::new()
        } else {
            reasons(runs, &evidence)
        },
        values,
        code,
        memory,
        line,
        ..blank(&limit.selection, limit.per)
    }
}

/// A finding of a selection that nothing is known of yet.
pub(super) fn blank(selection: &Selection, per: super::budget::Per) -> Finding {
    let pattern = |pattern: &crate::profile::selection::Pattern| pattern.0.clone();
    Finding {
        name: String::new(),
        cause: selection.cause.map(|kind| kind.name().to_owned()),
        detail: selection.detail.as_ref().map(pattern),
        phase: selection.phase.as_ref().map(|phase| phase.0.clone()),
        thread: selection.thread.as_ref().map(pattern),
        per,
        outcome: Outcome::Inconclusive,
        hard: None,
        soft: None,
        values: Vec::new(),
        judged: None,
        at_least: false,
        baseline: Vec::new(),
        is_new: false,
        reasons: Vec::new(),
        code: Vec::new(),
        memory: Vec::new(),
        line: None,
    }
}

/// What one run makes of a limit. The hard bound decides first; a soft one
/// that cannot be judged is not passed over either.
fn outcome(evidence: &Evidence, hard: Option<Bound>, soft: Option<Bound>) -> Outcome {
    let hard = hard.map(|bound| evidence.standing(bound));
    let soft = soft.map(|bound| evidence.standing(bound));
    match (hard, soft) {
        (Some(Standing::Above), _) => Outcome::Breach,
        // A limit without a number judges nothing, and no budget has one.
        (Some(Standing::Unknown), _) | (_, Some(Standing::Unknown)) | (None, None) => {
            Outcome::Inconclusive
        }
        // Nothing fails because of a soft limit, so it must not succeed in doubt.
        (None, Some(Standing::Above)) if !evidence.reasons.is_empty() => Outcome::Inconclusive,
        (_, Some(Standing::Above)) => Outcome::Warning,
        (Some(Standing::Within), None | Some(Standing::Within))
        | (None, Some(Standing::Within)) => Outcome::Pass,
    }
}

/// Why, each reason once, with the run's name where there are several.
pub(super) fn reasons(runs: &[Named], evidence: &[Evidence]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for (named, evidence) in runs.iter().zip(evidence) {
        for reason in &evidence.reasons {
            let reason = if runs.len() > 1 {
                format!("{}: {reason}", named.name)
            } else {
                reason.clone()
            };
            if !all.contains(&reason) {
                all.push(reason);
            }
        }
    }
    all
}

/// What to call a limit: as its author did, or by its selection.
pub(super) fn name(limit: &Limit) -> String {
    limit
        .name
        .clone()
        .unwrap_or_else(|| described(&limit.selection, limit.per))
}

/// A selection in words.
pub(super) fn described(selection: &Selection, per: super::budget::Per) -> String {
    let cause = selection.cause.map_or("total", |kind| kind.name());
    let mut words = cause.to_owned();
    for (before, part) in [
        (" ", selection.detail.as_ref().map(|part| &part.0)),
        (" in ", selection.phase.as_ref().map(|part| &part.0)),
        (" of thread ", selection.thread.as_ref().map(|part| &part.0)),
    ] {
        if let Some(part) = part {
            words.push_str(before);
            words.push_str(part);
        }
    }
    match per {
        super::budget::Per::Run => words,
        super::budget::Per::Second => words + " per second",
        super::budget::Per::MillionIos => words + " per million I/Os",
    }
}
