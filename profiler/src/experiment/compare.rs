//! Two variants' profiles, side by side. Pure.

use std::collections::BTreeMap;

use super::{
    model::{CauseComparison, Comparison, Metric, MetricComparison},
    spread::Spread,
};
use crate::profile::{
    ledger::as_float,
    model::{CauseRow, Profile},
    rates::steady_count,
};

/// Compares the runs of two variants.
#[must_use]
pub fn compare(before: &[Profile], after: &[Profile]) -> Comparison {
    Comparison {
        steady: causes(before, after, steady_count),
        whole: causes(before, after, |row| row.count),
        metrics: metrics(before, after),
    }
}

/// Counts by cause. A cause that a run does not have counts as 0 there; one
/// that is 0 everywhere is left out.
fn causes(
    before: &[Profile],
    after: &[Profile],
    count: impl Fn(&CauseRow) -> u64,
) -> Vec<CauseComparison> {
    let counts = |profiles: &[Profile]| -> Vec<BTreeMap<(String, String), u64>> {
        profiles
            .iter()
            .map(|profile| {
                let rows = profile.ledger.by_cause.iter();
                rows.map(|row| ((row.cause.clone(), row.detail.clone()), count(row)))
                    .collect()
            })
            .collect()
    };
    let (before, after) = (counts(before), counts(after));
    let mut keys: Vec<_> = before
        .iter()
        .chain(&after)
        .flat_map(BTreeMap::keys)
        .collect();
    keys.sort();
    keys.dedup();
    let mut rows: Vec<CauseComparison> = keys
        .into_iter()
        .map(|key| {
            let spread = |runs: &[BTreeMap<(String, String), u64>]| {
                let values = runs.iter().map(|run| run.get(key).copied().unwrap_or(0));
                Spread::of(values.map(as_float)).unwrap_or_default()
            };
            let (before, after) = (spread(&before), spread(&after));
            CauseComparison {
                cause: key.0.clone(),
                detail: key.1.clone(),
                before,
                after,
                ratio: after.ratio_to(&before),
            }
        })
        .filter(|row| row.before.max + row.after.max > 0.0)
        .collect();
    rows.sort_by(|a, b| {
        let larger = |row: &CauseComparison| row.before.median.max(row.after.median);
        larger(b).total_cmp(&larger(a))
    });
    rows
}

/// The program's own numbers. What neither variant has is left out.
fn metrics(before: &[Profile], after: &[Profile]) -> Vec<MetricComparison> {
    let spread = |profiles: &[Profile], metric: Metric| {
        let values: Option<Vec<f64>> = profiles.iter().map(|profile| metric.of(profile)).collect();
        values.and_then(Spread::of)
    };
    Metric::ALL
        .into_iter()
        .map(|metric| {
            let (before, after) = (spread(before, metric), spread(after, metric));
            MetricComparison {
                metric,
                ratio: before
                    .zip(after)
                    .and_then(|(before, after)| after.ratio_to(&before)),
                before,
                after,
            }
        })
        .filter(|row| row.before.is_some() || row.after.is_some())
        .collect()
}
