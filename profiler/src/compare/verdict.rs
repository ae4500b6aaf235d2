//! What follows from a comparison, in one sentence. Pure.

use super::{
    causes::ALL,
    model::{Basis, CauseChange, Change, Comparison, Method, Status},
};
use crate::report::{units::amount, verdict::words};

/// The part of a change above which it is "nearly all" of it.
const NEARLY_ALL: f64 = 0.9;

/// The verdict on all comparisons.
#[must_use]
pub fn all(comparisons: &[Comparison], method: &Method) -> String {
    let each: Vec<&str> = comparisons
        .iter()
        .map(|found| found.verdict.as_str())
        .collect();
    let mut text = each.join(" ");
    let is_change = |row: &CauseChange| row.change.status != Status::Same;
    let differs = comparisons
        .iter()
        .any(|found| found.totals.iter().any(is_change));
    if method.runs < method.runs_needed && differs {
        let runs = match method.runs {
            1 => "1 run".to_owned(),
            runs => format!("{runs} runs"),
        };
        let more = format!(
            " With {runs} of a side nothing can be told from chance, which takes {}.",
            method.runs_needed
        );
        text.push_str(&more);
    }
    text
}

/// The verdict on one comparison.
#[must_use]
pub fn one(found: &Comparison, method: &Method) -> String {
    let place = if found.steady { " in steady state" } else { "" };
    let Some((entries, causes)) = found.totals.split_first() else {
        return String::new();
    };
    let is_same = |rows: &[CauseChange]| rows.iter().all(|row| row.change.status == Status::Same);
    let details = if found.steady {
        &found.by_cause_steady
    } else {
        &found.by_cause
    };
    if is_same(&found.totals) && is_same(details) {
        let same = numbers(&entries.change, found);
        return format!(
            "{} and {} made the same entries{place}{same}.",
            found.before, found.after
        );
    }
    let is_judged = method.runs >= method.runs_needed;
    let largest = |rows: &[CauseChange]| -> Option<CauseChange> {
        let rows = rows.iter().filter(|row| !is_judged || differs(&row.change));
        rows.max_by(|a, b| size(&a.change).total_cmp(&size(&b.change)))
            .filter(|row| size(&row.change) > 0.0)
            .cloned()
    };
    let total = largest(std::slice::from_ref(entries));
    let cause = largest(causes);
    match (total, cause) {
        (Some(total), cause) => {
            let cause = cause.filter(|row| same_direction(&row.change, &total.change));
            let cause = cause.map_or_else(String::new, |cause| {
                of_it(&cause, &total.change, details, found)
            });
            format!(
                "{} made {} entries{place} than {}{}{cause}.",
                found.after,
                more_or_fewer(&total.change),
                found.before,
                numbers(&total.change, found)
            )
        }
        (None, Some(cause)) => format!(
            "{} made {} {}{place} than {}{}, and about as many entries in all.",
            found.after,
            more_or_fewer(&cause.change),
            words(&cause.cause),
            found.before,
            numbers(&cause.change, found)
        ),
        (None, None) if is_judged => format!(
            "no difference between {} and {} can be told from chance{place}{}.",
            found.before,
            found.after,
            numbers(&entries.change, found)
        ),
        (None, None) => format!(
            "{} and {} made as many entries{place}{}, of other causes.",
            found.before,
            found.after,
            numbers(&entries.change, found)
        ),
    }
}

fn differs(change: &Change) -> bool {
    change.judgement.as_ref().is_some_and(|found| found.differs)
}

fn size(change: &Change) -> f64 {
    change.difference.map_or(0.0, f64::abs)
}

fn same_direction(a: &Change, b: &Change) -> bool {
    let sign = |change: &Change| change.difference.unwrap_or(0.0) > 0.0;
    sign(a) == sign(b)
}

fn more_or_fewer(change: &Change) -> &'static str {
    if change.difference.unwrap_or(0.0) > 0.0 {
        "more"
    } else {
        "fewer"
    }
}

/// The two numbers in the basis of the comparison: `: 5,000 → 1,000 per run
/// (×0.20)`.
fn numbers(change: &Change, found: &Comparison) -> String {
    let basis = if found.steady {
        found.steady_basis
    } else {
        found.whole_basis
    };
    let medians = change.before.zip(change.after);
    let (values, unit) = match basis {
        Basis::PerRun => (
            medians.map(|(before, after)| (before.median, after.median)),
            "per run",
        ),
        Basis::PerSecond => (
            change.per_second.map(|rates| (rates.before, rates.after)),
            "per second",
        ),
        Basis::PerMillionIos => (
            change
                .per_million_ios
                .map(|rates| (rates.before, rates.after)),
            "per million I/Os",
        ),
    };
    let Some((before, after)) = values else {
        return String::new();
    };
    let ratio = change
        .ratio
        .map_or_else(String::new, |ratio| format!(" (×{ratio:.2})"));
    format!(": {} → {} {unit}{ratio}", amount(before), amount(after))
}

/// Which cause makes the difference, and which of its details and functions.
fn of_it(
    cause: &CauseChange,
    total: &Change,
    details: &[CauseChange],
    found: &Comparison,
) -> String {
    let (whole, part) = (size(total), size(&cause.change));
    if whole == 0.0 || part / whole < 0.5 {
        return String::new();
    }
    let much = if part / whole >= NEARLY_ALL {
        "nearly all of it"
    } else {
        "most of it"
    };
    let makes = |row: &&CauseChange| {
        row.cause == cause.cause
            && row.detail != ALL
            && same_direction(&row.change, &cause.change)
            && size(&row.change) >= part * 0.5
    };
    let detail = details.iter().find(makes);
    // The code is that of whole runs: what it names is a hint to where to look.
    let of_cause = found.by_code.iter().filter(|row| {
        row.cause == cause.cause
            && detail.is_none_or(|detail| detail.detail == row.detail)
            && same_direction(&row.change, &cause.change)
    });
    let all: f64 = of_cause.clone().map(|row| size(&row.change)).sum();
    let code = of_cause
        .max_by(|a, b| size(&a.change).total_cmp(&size(&b.change)))
        .filter(|row| all > 0.0 && size(&row.change) >= 0.5 * all);
    let code = code.map_or_else(String::new, |row| format!(", mostly in `{}`", row.code));
    let detail = detail.map_or_else(String::new, |row| format!(" ({})", row.detail));
    format!("; {much} {}{detail}{code}", words(&cause.cause))
}
