//! Variants' profiles, side by side. Pure.

use std::collections::BTreeMap;

use profiler_common::cause::CauseKind;

use super::{
    costs,
    model::{CauseComparison, Comparison, Metric, MetricComparison, Variant},
};
use crate::{
    profile::{
        ledger::as_float,
        model::{CauseRow, Profile},
        rates::steady_count,
    },
    stats::{holm, judgement::Judgement, spread::Spread},
};

/// Causes of which the total is judged.
pub(super) const CAUSES: [CauseKind; 3] = [
    CauseKind::Syscall,
    CauseKind::PageFault,
    CauseKind::Interrupt,
];

/// The program's own numbers that are judged, as far as it has them. With the
/// totals of three causes that makes six; everything else is shown with its
/// interval and not judged, since the more one looks at, the more chance finds.
pub const JUDGED: [Metric; 3] = [Metric::Iops, Metric::LatencyP99Ns, Metric::LatencyP9999Ns];

/// Judged instead where a program has no throughput of its own.
pub const JUDGED_WITHOUT_IO: Metric = Metric::WallNs;

/// Compares each variant with the first.
#[must_use]
pub fn all(variants: &[Variant]) -> Vec<Comparison> {
    let Some((first, others)) = variants.split_first() else {
        return Vec::new();
    };
    let steady = is_steady(variants);
    let mut comparisons: Vec<Comparison> = others
        .iter()
        .map(|other| pair(first, other, steady))
        .collect();
    judge(&mut comparisons, variants, steady);
    comparisons
}

/// How many numbers are judged together.
#[must_use]
pub fn judged(comparisons: &mut [Comparison]) -> usize {
    comparisons
        .iter_mut()
        .map(|found| primary(found).len())
        .sum()
}

/// Whether every run marked a steady state.
#[must_use]
pub fn is_steady(variants: &[Variant]) -> bool {
    let mut profiles = variants.iter().flat_map(|variant| &variant.profiles);
    profiles.all(|profile| profile.ledger.rates.steady_total.is_some())
}

/// Totals over all details of the causes that matter, also of those that are
/// absent.
#[must_use]
pub fn totals(before: &[Profile], after: &[Profile], steady: bool) -> Vec<CauseComparison> {
    CAUSES
        .into_iter()
        .map(|cause| {
            let of = |profile: &Profile| total(profile, cause, steady);
            let (before, after) = (values(before, of), values(after, of));
            row((cause.name(), "(all)"), &before, &after)
        })
        .collect()
}

/// Entries of one cause in one run.
fn total(profile: &Profile, cause: CauseKind, steady: bool) -> f64 {
    let rows = profile.ledger.by_cause.iter();
    let rows = rows.filter(|row| row.cause == cause);
    as_float(if steady {
        rows.map(steady_count).sum()
    } else {
        rows.map(|row| row.count).sum()
    })
}

fn values(profiles: &[Profile], of: impl Fn(&Profile) -> f64) -> Vec<f64> {
    profiles.iter().map(of).collect()
}

fn pair(first: &Variant, other: &Variant, steady: bool) -> Comparison {
    let (before, after) = (&first.profiles, &other.profiles);
    Comparison {
        before: first.name.clone(),
        after: other.name.clone(),
        conclusion: String::new(),
        totals: totals(before, after, steady),
        steady: causes(before, after, steady_count),
        whole: causes(before, after, |row| row.count),
        metrics: metrics(before, after),
        costs: costs::of(before, after),
    }
}

/// Where a number that is judged comes from.
#[derive(Clone, Copy)]
enum Source {
    Cause(CauseKind),
    Metric(Metric),
}

impl Source {
    fn values(self, profiles: &[Profile], steady: bool) -> Vec<f64> {
        match self {
            Self::Cause(cause) => values(profiles, |profile| total(profile, cause, steady)),
            Self::Metric(metric) => profiles.iter().filter_map(|p| metric.of(p)).collect(),
        }
    }
}

/// The judgements to be completed, and what they are of.
fn primary(comparison: &mut Comparison) -> Vec<(Source, &mut Judgement)> {
    let has_io = comparison
        .metrics
        .iter()
        .any(|row| row.metric == Metric::Iops);
    let totals = CAUSES.into_iter().zip(&mut comparison.totals);
    let totals =
        totals.filter_map(|(cause, row)| Some((Source::Cause(cause), row.judgement.as_mut()?)));
    let metrics = comparison.metrics.iter_mut().filter_map(|row| {
        let wanted = if has_io {
            JUDGED.contains(&row.metric)
        } else {
            row.metric == JUDGED_WITHOUT_IO
        };
        let judgement = row.judgement.as_mut()?;
        wanted.then_some((Source::Metric(row.metric), judgement))
    });
    totals.chain(metrics).collect()
}

/// Decides all judged numbers of all comparisons together.
fn judge(comparisons: &mut [Comparison], variants: &[Variant], steady: bool) {
    let Some((first, others)) = variants.split_first() else {
        return;
    };
    let probabilities: Vec<f64> = comparisons
        .iter_mut()
        .flat_map(primary)
        .map(|(_, judgement)| judgement.p)
        .collect();
    let mut adjusted = holm::adjusted(&probabilities).into_iter();
    for (comparison, other) in comparisons.iter_mut().zip(others) {
        for (source, judgement) in primary(comparison) {
            let before = source.values(&first.profiles, steady);
            let after = source.values(&other.profiles, steady);
            if let Some(adjusted) = adjusted.next() {
                judgement.decide(adjusted, probabilities.len(), (&before, &after));
            }
        }
    }
}

fn row(key: (&str, &str), before: &[f64], after: &[f64]) -> CauseComparison {
    let spread = |values: &[f64]| Spread::of(values.iter().copied()).unwrap_or_default();
    let (first, second) = (spread(before), spread(after));
    CauseComparison {
        cause: key.0.into(),
        detail: key.1.to_owned(),
        before: first,
        after: second,
        ratio: second.ratio_to(&first),
        judgement: Judgement::of(before, after),
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
                rows.map(|row| ((row.cause.to_string(), row.detail.clone()), count(row)))
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
            let values = |runs: &[BTreeMap<(String, String), u64>]| -> Vec<f64> {
                let counts = runs.iter().map(|run| run.get(key).copied().unwrap_or(0));
                counts.map(as_float).collect()
            };
            row((&key.0, &key.1), &values(&before), &values(&after))
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
    let values = |profiles: &[Profile], metric: Metric| -> Option<Vec<f64>> {
        profiles.iter().map(|profile| metric.of(profile)).collect()
    };
    Metric::ALL
        .into_iter()
        .map(|metric| {
            let (before, after) = (values(before, metric), values(after, metric));
            let judgement = before
                .as_deref()
                .zip(after.as_deref())
                .and_then(|(before, after)| Judgement::of(before, after));
            let (before, after) = (before.and_then(Spread::of), after.and_then(Spread::of));
            MetricComparison {
                metric,
                ratio: before
                    .zip(after)
                    .and_then(|(before, after)| after.ratio_to(&before)),
                before,
                after,
                judgement,
            }
        })
        .filter(|row| row.before.is_some() || row.after.is_some())
        .collect()
}
