//! What the statistics say, in words.

use crate::{
    experiment::model::{Comparison, Experiment},
    report::view::{Cell, Column, Kind, chart::Ratio, column, full_column},
    stats::{bootstrap::Interval, judgement::Judgement, spread::Spread},
};

/// One number in another variant than the first.
pub(super) struct Compared<'a> {
    pub(super) after: Option<Spread>,
    pub(super) ratio: Option<f64>,
    pub(super) judgement: Option<&'a Judgement>,
    pub(super) is_there: bool,
}

/// The columns of the first variant, and of each other one beside it.
pub(super) fn columns(experiment: &Experiment) -> Vec<Column> {
    let first = experiment.variants.first();
    let first = first.map_or("", |found| found.name.as_str());
    let mut columns = vec![
        column(first, Kind::Number),
        full_column("runs", Kind::Number),
    ];
    let is_only = experiment.further.is_empty();
    for found in experiment.comparisons() {
        let interval = if is_only { column } else { full_column };
        let ratio = if is_only {
            "ratio".to_owned()
        } else {
            format!("{} / {first}", found.after)
        };
        columns.extend([
            column(found.after.as_str(), Kind::Number),
            full_column("runs", Kind::Number),
            column(ratio, Kind::Number),
            interval("95 % interval".to_owned(), Kind::Number),
            full_column("verdict".to_owned(), Kind::Text),
        ]);
    }
    columns
}

/// The cells of such columns.
pub(super) fn cells<'a>(
    before: Option<Spread>,
    others: impl Iterator<Item = Compared<'a>>,
    show: impl Fn(f64) -> String,
) -> Vec<Cell> {
    let median =
        |side: Option<Spread>| side.map_or_else(|| "-".to_owned(), |side| show(side.median));
    let range = |side: Option<Spread>| {
        let side = side.filter(|side| show(side.min) != show(side.max));
        side.map_or_else(String::new, |side| {
            format!("{} to {}", show(side.min), show(side.max))
        })
    };
    let mut cells = vec![median(before), range(before)];
    for other in others {
        let judgement = other.judgement;
        let differs = judgement.is_some_and(|found| found.differs);
        let star = if differs { "*" } else { "" };
        let ratio = other
            .ratio
            .map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}{star}"));
        let verdict = if other.is_there {
            words(judgement)
        } else {
            "-".to_owned()
        };
        cells.extend([
            median(other.after),
            range(other.after),
            ratio,
            interval(judgement),
            verdict,
        ]);
    }
    cells.into_iter().map(Cell::from).collect()
}

/// A judgement in words.
fn words(judgement: Option<&Judgement>) -> String {
    let Some(found) = judgement else {
        return "too few runs to judge".to_owned();
    };
    match (found.adjusted_p, found.differs, found.smallest_ratio) {
        (None, ..) => "not judged".to_owned(),
        (Some(p), true, _) => format!("differs (p {})", probability(p)),
        (Some(p), false, Some(ratio)) => format!(
            "no difference found (p {}; a factor of {ratio:.1} would have shown)",
            probability(p)
        ),
        (Some(p), false, None) => format!("no difference found (p {})", probability(p)),
    }
}

fn probability(p: f64) -> String {
    if p < 0.001 {
        "< 0.001".to_owned()
    } else {
        format!("= {p:.3}")
    }
}

/// An interval of ratios in words. One without any width is as good as none.
fn interval(judgement: Option<&Judgement>) -> String {
    wide(judgement).map_or_else(
        || "-".to_owned(),
        |found| format!("{:.2} to {:.2}", found.low, found.high),
    )
}

fn wide(judgement: Option<&Judgement>) -> Option<Interval> {
    let found = judgement.and_then(|found| found.ratio);
    found.filter(|found| found.low < found.high)
}

/// A dot of the chart of ratios, where there is a ratio.
pub(super) fn dot(
    label: String,
    value: Option<f64>,
    judgement: Option<&Judgement>,
) -> Option<Ratio> {
    let value = value?;
    let mark = match judgement {
        Some(found) if found.differs => ", differs",
        Some(found) if found.adjusted_p.is_some() => ", no difference found",
        _ => "",
    };
    let range = wide(judgement).map_or_else(String::new, |found| {
        format!(" ({:.2} to {:.2})", found.low, found.high)
    });
    Some(Ratio {
        label,
        text: format!("{value:.2}{range}{mark}"),
        ratio: value,
        interval: wide(judgement),
        differs: judgement.is_some_and(|found| found.differs),
        is_judged: judgement.is_some_and(|found| found.adjusted_p.is_some()),
    })
}

/// A label of one comparison: its variant is named where there are several.
pub(super) fn label(comparison: &Comparison, is_one_of_several: bool, name: &str) -> String {
    if is_one_of_several {
        format!("{}, {name}", comparison.after)
    } else {
        name.to_owned()
    }
}
