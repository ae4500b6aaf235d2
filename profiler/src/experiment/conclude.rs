//! What follows from a comparison, in one sentence. Pure.

use super::model::{CauseComparison, Comparison, Metric, MetricComparison};
use crate::report::{
    units::{duration_ns, rate},
    verdict::words,
};

/// The conclusion.
#[must_use]
pub fn conclude(comparison: &Comparison) -> String {
    let mut sentence = match largest_change(&comparison.steady) {
        Some(row) => format!(
            "The fix explains itself by {} ({}): {} → {} per run in steady state",
            words(&row.cause),
            row.detail,
            rate(row.before.median),
            rate(row.after.median)
        ),
        None => "No count differs measurably in steady state".to_owned(),
    };
    let moved: Vec<String> = [Metric::Iops, Metric::LatencyP99Ns, Metric::LatencyP9999Ns]
        .into_iter()
        .filter_map(|metric| comparison.metrics.iter().find(|row| row.metric == metric))
        .map(metric_words)
        .collect();
    if !moved.is_empty() {
        sentence += "; ";
        sentence += &moved.join(", ");
    }
    sentence.push('.');
    sentence
}

/// The cause that changed most, if any run of one variant tells it from every
/// run of the other.
fn largest_change(rows: &[CauseComparison]) -> Option<&CauseComparison> {
    let change = |row: &CauseComparison| (row.after.median - row.before.median).abs();
    rows.iter()
        .filter(|row| row.before.is_apart_from(&row.after))
        .max_by(|a, b| change(a).total_cmp(&change(b)))
}

fn metric_words(row: &MetricComparison) -> String {
    let name = row.metric.words();
    let (Some(before), Some(after)) = (row.before, row.after) else {
        return format!("{name} not known for both");
    };
    if !before.is_apart_from(&after) {
        return format!("{name} with no measurable difference");
    }
    format!(
        "{name} {} → {}",
        value(row.metric, before.median),
        value(row.metric, after.median)
    )
}

/// A metric's value with its unit.
#[must_use]
pub fn value(metric: Metric, value: f64) -> String {
    if metric == Metric::Iops {
        return rate(value);
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "latencies are not negative and far below u64's limit"
    )]
    let ns = value.round() as u64;
    duration_ns(ns)
}
