//! What all formats say in the same words.

use crate::{
    gate::{
        judged::Outcome,
        verdict::{Against, Culprit, Finding, Hit, Verdict},
    },
    report::units::{amount, bytes, count},
};

/// The result in one line.
pub(crate) fn headline(verdict: &Verdict) -> String {
    let number = |outcome| {
        let findings = verdict.findings.iter();
        findings.filter(|found| found.outcome == outcome).count()
    };
    let all = verdict.findings.len();
    let (limits, held) = match &verdict.against {
        Against::Budget { file } => (format!("{} of {file}", plural(all, "limit")), "kept"),
        Against::Baseline => (plural(all, "row"), "not above the baseline"),
    };
    let result = match verdict.outcome {
        Outcome::Breach => format!("BREACH: {} breached", number(Outcome::Breach)),
        Outcome::Inconclusive => {
            format!(
                "INCONCLUSIVE: {} cannot be judged",
                number(Outcome::Inconclusive)
            )
        }
        Outcome::Warning | Outcome::Pass => format!("PASS: {held}"),
    };
    let mut parts = vec![limits, plural(verdict.runs.len(), "run")];
    for (outcome, word) in [
        (Outcome::Inconclusive, "cannot be judged"),
        (Outcome::Warning, "above a soft limit"),
    ] {
        let number = number(outcome);
        let is_said = outcome == Outcome::Inconclusive && verdict.outcome == outcome;
        if number != 0 && !is_said {
            parts.push(format!("{number} {word}"));
        }
    }
    format!("{result} ({})", parts.join(", "))
}

fn plural(number: usize, word: &str) -> String {
    let ending = if number == 1 { "" } else { "s" };
    format!("{number} {word}{ending}")
}

/// What was counted: `1,000`, `at least 1,000`, or `-`.
pub(crate) fn judged(finding: &Finding) -> String {
    match finding.judged {
        None => "-".to_owned(),
        Some(value) if finding.at_least => format!("≥ {}", amount(value)),
        Some(value) => amount(value),
    }
}

/// The bound that matters, and what it is.
pub(crate) fn bound(finding: &Finding) -> String {
    match (finding.hard, finding.soft) {
        (Some(hard), Some(soft)) => format!("{} (soft {})", amount(hard), amount(soft)),
        (Some(hard), None) => amount(hard),
        (None, Some(soft)) => format!("soft {}", amount(soft)),
        (None, None) => "-".to_owned(),
    }
}

/// The finding in a sentence without a full stop.
pub(super) fn sentence(finding: &Finding) -> String {
    let (judged, bound) = (judged(finding), bound(finding));
    let result = match (finding.outcome, finding.judged) {
        (Outcome::Pass, _) => format!("{judged}, at most {bound} allowed"),
        (Outcome::Breach, _) => format!("{judged}, but at most {bound} allowed"),
        (Outcome::Warning, _) => match finding.soft {
            Some(soft) => format!("{judged}, above the soft limit of {}", amount(soft)),
            None => format!("{judged}, at most {bound} allowed"),
        },
        (Outcome::Inconclusive, Some(_)) => {
            format!("counted {judged} where {bound} are allowed, but not for certain")
        }
        (Outcome::Inconclusive, None) => format!("cannot be judged (at most {bound} allowed)"),
    };
    let mut parts = vec![format!("{}: {result}", finding.name)];
    parts.extend(finding.reasons.iter().cloned());
    parts.join("; ")
}

/// A place in the code in a line.
pub(super) fn place(culprit: &Culprit) -> String {
    let at = match (&culprit.file, culprit.line) {
        (Some(file), Some(line)) => format!(" at {file}:{line}"),
        (Some(file), None) => format!(" at {file}"),
        (None, _) => String::new(),
    };
    let caller = culprit.called_from.as_ref();
    let caller = caller.map_or_else(String::new, |caller| format!(", called from {caller}"));
    let before = match culprit.before {
        Some(0) => " (new)".to_owned(),
        Some(before) => format!(" (before: {})", count(before)),
        None => String::new(),
    };
    format!(
        "{} × {} {} in {}{at}{caller}{before}",
        count(culprit.count),
        culprit.cause,
        culprit.detail,
        culprit.place
    )
}

/// Memory in a line.
pub(super) fn memory(hit: &Hit) -> String {
    let text = format!(
        "{} page fault{} in {} of {}",
        count(hit.faults),
        if hit.faults == 1 { "" } else { "s" },
        hit.what,
        bytes(hit.bytes)
    );
    match &hit.allocated_at {
        Some(site) => format!("{text}, made by {site}"),
        None => text,
    }
}

/// All of the code and memory behind a finding, a line each.
pub(super) fn evidence(finding: &Finding) -> Vec<String> {
    let code = finding.code.iter().map(place);
    code.chain(finding.memory.iter().map(memory)).collect()
}

/// Findings that are not kept for the same reasons, and those reasons.
pub(crate) struct Group {
    /// `breach: syscall in steady`, or with several names.
    pub(crate) title: String,
    /// Why, and whose fault it is.
    pub(crate) lines: Vec<String>,
}

/// Names told in a title; of more, their number.
const NAMES: usize = 3;

/// All that is to be said of findings that are not kept, each thing once.
pub(crate) fn groups(findings: &[Finding]) -> Vec<Group> {
    let mut groups: Vec<(Outcome, Vec<&str>, Vec<String>)> = Vec::new();
    for finding in findings {
        let mut lines = finding.reasons.clone();
        lines.extend(evidence(finding));
        if finding.outcome == Outcome::Pass || lines.is_empty() {
            continue;
        }
        let same = groups
            .iter_mut()
            .find(|(outcome, _, others)| *outcome == finding.outcome && *others == lines);
        match same {
            Some((_, names, _)) => names.push(&finding.name),
            None => groups.push((finding.outcome, vec![&finding.name], lines)),
        }
    }
    groups
        .into_iter()
        .map(|(outcome, names, lines)| {
            let names = if names.len() <= NAMES {
                names.join(", ")
            } else {
                format!("{} limits", names.len())
            };
            Group {
                title: format!("{}: {names}", outcome.name()),
                lines,
            }
        })
        .collect()
}
