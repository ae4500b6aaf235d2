//! What the statistics say, in words.

use crate::{
    experiment::model::Comparison,
    report::html::chart::ratios::Row,
    stats::{bootstrap::Interval, judgement::Judgement},
};

/// A judgement in words.
#[must_use]
pub fn words(judgement: Option<&Judgement>) -> String {
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

/// A ratio in words.
#[must_use]
pub fn ratio(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"))
}

/// An interval of ratios in words. One without any width is as good as none.
#[must_use]
pub fn interval(judgement: Option<&Judgement>) -> String {
    wide(judgement).map_or_else(
        || "-".to_owned(),
        |found| format!("{:.2} to {:.2}", found.low, found.high),
    )
}

fn wide(judgement: Option<&Judgement>) -> Option<Interval> {
    let found = judgement.and_then(|found| found.ratio);
    found.filter(|found| found.low < found.high)
}

/// A row of the chart of ratios, where there is a ratio.
#[must_use]
pub fn row(label: String, value: Option<f64>, judgement: Option<&Judgement>) -> Option<Row> {
    let value = value?;
    let mark = match judgement {
        Some(found) if found.differs => ", differs",
        Some(found) if found.adjusted_p.is_some() => ", no difference found",
        _ => "",
    };
    let range = wide(judgement).map_or_else(String::new, |found| {
        format!(" ({:.2} to {:.2})", found.low, found.high)
    });
    Some(Row {
        label,
        text: format!("{value:.2}{range}{mark}"),
        ratio: value,
        interval: wide(judgement),
        differs: judgement.is_some_and(|found| found.differs),
        is_judged: judgement.is_some_and(|found| found.adjusted_p.is_some()),
    })
}

/// A label of one comparison: its variant is named where there are several.
#[must_use]
pub fn label(comparison: &Comparison, is_one_of_several: bool, name: &str) -> String {
    if is_one_of_several {
        format!("{}, {name}", comparison.after)
    } else {
        name.to_owned()
    }
}
