//! What follows from a comparison, in words: the only place that says it. Pure.

use super::{
    causes::JUDGED,
    change::RowVerdict,
    metrics,
    model::{
        ALL, CauseChange, Change, ENTRIES, Judgement, Method, MetricChange, Per, SidePair, Status,
    },
    side::Group,
};
use crate::{named::cause_words, profile::exactness::unsound, units::amount};

/// The part of a change above which it is "nearly all" of it.
const NEARLY_ALL: f64 = 0.9;

/// The conclusion of all pairs. `doubt` is why nothing follows from them.
#[must_use]
pub fn all(pairs: &[SidePair], method: &Method, doubt: Option<String>) -> String {
    let too_few = || {
        let same = |row: &CauseChange| row.change.status == Status::Same;
        let differs = pairs.iter().any(|pair| !pair.totals.iter().all(same));
        (method.runs < method.runs_needed && differs).then(|| {
            format!(
                "With {} of each side nothing can be told from chance, which takes {}: what \
                 follows is shown as it was measured.",
                runs(method.runs),
                method.runs_needed
            )
        })
    };
    let is_doubtful = doubt.is_some();
    let each = pairs.iter().map(|pair| {
        let names_sides = is_doubtful || method.runs < method.runs_needed;
        if names_sides || pairs.len() == 1 {
            pair.verdict.clone()
        } else {
            format!("{}: {}", pair.after, pair.verdict)
        }
    });
    let each = each.filter(|sentence| !sentence.is_empty());
    let sentences = doubt.or_else(too_few).into_iter().chain(each);
    sentences.collect::<Vec<_>>().join(" ")
}

/// Why nothing may be concluded from these runs: counts by which the gate would
/// judge nothing differ by more than is known.
#[must_use]
pub fn doubt(groups: &[Group<'_>]) -> Option<String> {
    let all: usize = groups.iter().map(|group| group.profiles.len()).sum();
    let doubtful = groups.iter().flat_map(|group| {
        let runs = group.profiles.iter().zip(1..);
        runs.filter_map(move |(run, number)| {
            let reason = unsound(run, &JUDGED).into_iter().next()?;
            Some(format!("{}, run {number}: {reason}", group.label))
        })
    });
    let doubtful: Vec<String> = doubtful.collect();
    let first = doubtful.first()?;
    Some(format!(
        "Nothing is concluded, since the counts of {} of {all} runs are in doubt ({first}): what \
         follows is shown as it was measured.",
        doubtful.len()
    ))
}

/// Takes back what was decided of a pair, and says what was measured instead.
pub fn withdraw(pair: &mut SidePair) {
    let totals = pair.totals.iter_mut();
    let metrics = pair.metrics.iter_mut();
    let judgements = totals.filter_map(|row| row.change.judgement.as_mut());
    for judgement in judgements.chain(metrics.filter_map(|row| row.judgement.as_mut())) {
        judgement.differs = false;
    }
    pair.verdict = measured(pair);
}

/// The conclusion of one pair.
#[must_use]
pub fn one(pair: &SidePair, method: &Method) -> String {
    if method.runs < method.runs_needed {
        measured(pair)
    } else {
        judged(pair)
    }
}

fn is_same(pair: &SidePair) -> bool {
    let same = |rows: &[CauseChange]| rows.iter().all(|row| row.change.status == Status::Same);
    same(&pair.totals) && same(pair.details())
}

fn place(pair: &SidePair) -> &'static str {
    if pair.steady { " in steady state" } else { "" }
}

/// What was measured, whatever chance has to do with it.
fn measured(pair: &SidePair) -> String {
    let place = place(pair);
    let (before, after) = (&pair.before, &pair.after);
    let (entries, causes) = match pair.totals.split_first() {
        Some((first, causes)) if *first.cause == *ENTRIES => (first, causes),
        // Experiments of earlier versions had no such row.
        Some(_) | None => return String::new(),
    };
    if is_same(pair) {
        let same = numbers(&entries.change, pair.basis());
        return format!("{before} and {after} made the same entries{place}{same}.");
    }
    let cause = largest(causes.iter());
    if size(&entries.change) > 0.0 {
        let total = &entries.change;
        let cause = cause.filter(|row| same_direction(&row.change, total));
        let cause = cause.map_or_else(String::new, |cause| share(cause, total, pair));
        return format!(
            "{after} made {} entries{place} than {before}{}{cause}.",
            more_or_fewer(total),
            numbers(total, pair.basis())
        );
    }
    match cause {
        Some(cause) => format!(
            "{after} made {} {}{place} than {before}{}, and as many entries in all.",
            more_or_fewer(&cause.change),
            cause_words(&cause.cause),
            numbers(&cause.change, pair.basis())
        ),
        None => format!(
            "{before} and {after} made as many entries{place}{}, of other causes.",
            numbers(&entries.change, pair.basis())
        ),
    }
}

/// What can be told from chance.
fn judged(pair: &SidePair) -> String {
    let differing = pair.totals.iter().filter(|row| *row.cause != *ENTRIES);
    let cause = largest(differing.filter(|row| row.change.verdict() == RowVerdict::Differs));
    let wanted = metrics::judged(&pair.metrics);
    let metrics = pair.metrics.iter();
    let metrics: Vec<&MetricChange> = metrics.filter(|row| wanted.contains(&row.metric)).collect();
    let moved = metrics.iter().any(|row| differs(row.judgement.as_ref()));
    let place = place(pair);
    let mut text = match cause {
        Some(row) => capital(&format!("{}{place}", cause_change(row, pair))),
        None if moved => format!("No cause's entries differ measurably{place}"),
        None => format!("No difference could be measured: entries{place} did not change"),
    };
    if !metrics.is_empty() {
        text.push_str("; ");
        let words: Vec<String> = metrics.into_iter().map(metric_change).collect();
        text.push_str(&words.join(", "));
    }
    text.push('.');
    text
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), letters.as_str())
}

fn differs(judgement: Option<&Judgement>) -> bool {
    judgement.is_some_and(|found| found.differs)
}

fn largest<'a>(rows: impl Iterator<Item = &'a CauseChange>) -> Option<&'a CauseChange> {
    rows.max_by(|a, b| size(&a.change).total_cmp(&size(&b.change)))
        .filter(|row| size(&row.change) > 0.0)
}

fn difference(change: &Change) -> f64 {
    change.difference.unwrap_or(0.0)
}

fn size(change: &Change) -> f64 {
    difference(change).abs()
}

fn same_direction(a: &Change, b: &Change) -> bool {
    difference(a) * difference(b) > 0.0
}

fn more_or_fewer(change: &Change) -> &'static str {
    if difference(change) > 0.0 {
        "more"
    } else {
        "fewer"
    }
}

const fn direction(change: f64) -> &'static str {
    if change < 0.0 { "fell" } else { "rose" }
}

/// The two numbers in the basis of the comparison: `: 5,000 → 1,000 per run
/// (×0.20)`.
fn numbers(change: &Change, per: Per) -> String {
    let Some((before, after)) = change.medians(per) else {
        return String::new();
    };
    let ratio = change
        .ratio
        .map_or_else(String::new, |ratio| format!(" (×{ratio:.2})"));
    format!(
        ": {} → {} {}{ratio}",
        amount(before),
        amount(after),
        per.words()
    )
}

/// Which cause makes the difference in all entries, and which of its details and
/// functions.
fn share(cause: &CauseChange, total: &Change, pair: &SidePair) -> String {
    let (whole, part) = (size(total), size(&cause.change));
    if whole == 0.0 || part / whole < 0.5 {
        return String::new();
    }
    let much = if part / whole >= NEARLY_ALL {
        "nearly all of it"
    } else {
        "most of it"
    };
    let detail = detail(cause, pair).filter(|row| size(&row.change) >= part * 0.5);
    let code = function(cause, detail, pair)
        .map_or_else(String::new, |code| format!(", mostly in `{code}`"));
    let detail = detail.map_or_else(String::new, |row| format!(" ({})", row.detail));
    format!("; {much} {}{detail}{code}", cause_words(&cause.cause))
}

/// The cause that changed most, and what of it.
fn cause_change(row: &CauseChange, pair: &SidePair) -> String {
    let detail = detail(row, pair);
    let code = function(row, detail, pair)
        .map_or_else(String::new, |code| format!(", most of it in `{code}`"));
    let detail = detail.map_or_else(String::new, |detail| {
        let part = difference(&detail.change) / difference(&row.change);
        if part >= NEARLY_ALL {
            format!(" ({})", detail.detail)
        } else {
            format!(" (most of it {}: {:.0} %)", detail.detail, part * 100.0)
        }
    });
    let (before, after) = row.change.medians(pair.basis()).unwrap_or_default();
    format!(
        "{}{detail} {} from {} to {} {}{code}",
        cause_words(&row.cause),
        direction(difference(&row.change)),
        amount(before),
        amount(after),
        pair.basis().words()
    )
}

/// The detail of a cause that changed most in the same direction.
fn detail<'a>(cause: &CauseChange, pair: &'a SidePair) -> Option<&'a CauseChange> {
    let rows = pair.details().iter();
    largest(rows.filter(|row| {
        row.cause == cause.cause && row.detail != ALL && same_direction(&row.change, &cause.change)
    }))
}

/// The function that makes more than half of the change of a cause or its detail,
/// if code has names. Code is that of whole runs: it is a hint to where to look.
fn function<'a>(
    cause: &CauseChange,
    detail: Option<&CauseChange>,
    pair: &'a SidePair,
) -> Option<&'a str> {
    let of_cause = |row: &&super::model::CodeChange| {
        row.cause == cause.cause
            && detail.is_none_or(|detail| detail.detail == row.detail)
            && same_direction(&row.change, &cause.change)
    };
    let rows = || pair.by_code.iter().filter(of_cause);
    let all: f64 = rows().map(|row| size(&row.change)).sum();
    let of_function = |code: &str| -> f64 {
        let same = rows().filter(|row| row.code == code);
        same.map(|row| size(&row.change)).sum()
    };
    rows()
        .map(|row| row.code.as_str())
        .find(|code| of_function(code) > 0.5 * all)
}

fn metric_change(row: &MetricChange) -> String {
    let name = row.metric.words();
    let (Some(before), Some(after)) = (row.before, row.after) else {
        return format!("{name} is not known of every run (too few I/Os)");
    };
    let judgement = row.judgement.as_ref();
    if !differs(judgement) {
        let visible = judgement.and_then(|found| found.smallest_ratio);
        return match visible {
            Some(ratio) => format!(
                "{name} did not change measurably ({} would have shown)",
                factor(ratio)
            ),
            None => format!("{name} did not change measurably (these runs vary too much)"),
        };
    }
    format!(
        "{name} {} from {} to {}",
        direction(after.median - before.median),
        row.metric.shown(before.median),
        row.metric.shown(after.median)
    )
}

/// A ratio as people say it.
fn factor(ratio: f64) -> String {
    if ratio < 1.5 {
        format!("{:.1} %", (ratio - 1.0) * 100.0)
    } else {
        format!("a factor of {ratio:.1}")
    }
}

fn runs(count: usize) -> String {
    if count == 1 {
        "1 run".to_owned()
    } else {
        format!("{count} runs")
    }
}
