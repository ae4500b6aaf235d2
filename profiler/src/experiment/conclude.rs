//! What follows from a comparison, in one sentence. Pure.

use super::{
    model::{CauseComparison, Comparison, Metric, MetricComparison},
    spread::Spread,
};
use crate::report::{
    units::{amount, duration_ns, rate},
    verdict::words,
};

/// The conclusion.
#[must_use]
pub fn conclude(comparison: &Comparison) -> String {
    let counts = match largest_change(&comparison.steady) {
        Some(row) => format!(
            "In steady state, {} ({}) went from {} to {} per run",
            words(&row.cause),
            row.detail,
            amount(row.before.median),
            amount(row.after.median)
        ),
        None if too_few(comparison) => {
            "Too few runs to judge by: what follows is shown as it was measured".to_owned()
        }
        None => "No count differs measurably in steady state".to_owned(),
    };
    let moved: Vec<String> = [Metric::Iops, Metric::LatencyP99Ns, Metric::LatencyP9999Ns]
        .into_iter()
        .filter_map(|metric| {
            let found = |row: &&MetricComparison| row.metric == metric;
            comparison.metrics.iter().find(found)
        })
        .map(metric_words)
        .collect();
    if moved.is_empty() || too_few(comparison) {
        format!("{counts}.")
    } else {
        format!("{counts}; {}.", moved.join(", "))
    }
}

/// Whether there are fewer runs than it takes to tell a difference from chance.
fn too_few(comparison: &Comparison) -> bool {
    let rows = comparison.steady.iter().chain(&comparison.whole);
    rows.map(|row| row.before.runs.min(row.after.runs))
        .min()
        .is_none_or(|runs| runs < Spread::ENOUGH)
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
        return format!("{name} is not known for both");
    };
    if !before.is_apart_from(&after) {
        return format!("{name} did not change measurably");
    }
    format!(
        "{name} went from {} to {}",
        value(row.metric, before.median),
        value(row.metric, after.median)
    )
}

/// A metric's value with its unit.
#[must_use]
pub fn value(metric: Metric, value: f64) -> String {
    if metric.is_time() {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "times are not negative and far below u64's limit"
        )]
        let ns = value.round() as u64;
        duration_ns(ns)
    } else {
        rate(value)
    }
}
