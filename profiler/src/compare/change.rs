//! One number on both sides.

use super::{
    basis::{Divisors, Measure},
    model::{Basis, Change, Judgement, Rates, Spread, Status},
};
use crate::profile::ledger::as_float;

/// The counts of a side's runs, or nothing if one of them could not see them.
pub type Counts = Option<Vec<u64>>;

/// Compares two sides' counts, one for each run.
#[must_use]
pub fn change(before: &Counts, after: &Counts, measure: &Measure) -> Change {
    let spread = |counts: &Counts| Spread::of(counts.as_ref()?.iter().copied().map(as_float));
    let (first, second) = (spread(before), spread(after));
    let values = in_basis(before, after, measure);
    let medians = values.as_ref().and_then(|(before, after)| {
        let median = |values: &[f64]| Spread::of(values.iter().copied()).map(|found| found.median);
        median(before).zip(median(after))
    });
    Change {
        status: status(first, second, values.as_ref()),
        before: first,
        after: second,
        difference: medians.map(|(before, after)| after - before),
        ratio: medians
            .filter(|&(before, _)| before != 0.0)
            .map(|(before, after)| after / before),
        per_second: rates(before, after, measure, |by| by.seconds),
        per_million_ios: rates(before, after, measure, |by| by.million_ios),
        judgement: values
            .filter(|(before, after)| !is_constant(before, after))
            .and_then(|(before, after)| Judgement::of(&before, &after)),
    }
}

/// Two sides' values in the basis of the comparison.
pub(super) fn in_basis(
    before: &Counts,
    after: &Counts,
    measure: &Measure,
) -> Option<(Vec<f64>, Vec<f64>)> {
    let divisor = |by: &Divisors| match measure.basis {
        Basis::PerRun => Some(1.0),
        Basis::PerSecond => by.seconds,
        Basis::PerMillionIos => by.million_ios,
    };
    let before = divided(before, &measure.before, divisor)?;
    Some((before, divided(after, &measure.after, divisor)?))
}

fn divided(
    counts: &Counts,
    runs: &[Divisors],
    of: impl Fn(&Divisors) -> Option<f64>,
) -> Option<Vec<f64>> {
    let pairs = counts.as_ref()?.iter().zip(runs);
    pairs
        .map(|(&count, run)| Some(as_float(count) / of(run)?))
        .collect()
}

fn rates(
    before: &Counts,
    after: &Counts,
    measure: &Measure,
    of: impl Fn(&Divisors) -> Option<f64>,
) -> Option<Rates> {
    let before = Spread::of(divided(before, &measure.before, &of)?)?.median;
    let after = Spread::of(divided(after, &measure.after, &of)?)?.median;
    Some(Rates {
        before,
        after,
        difference: after - before,
    })
}

fn status(
    before: Option<Spread>,
    after: Option<Spread>,
    values: Option<&(Vec<f64>, Vec<f64>)>,
) -> Status {
    let (Some(before), Some(after)) = (before, after) else {
        return Status::Unknown;
    };
    match (before.max > 0.0, after.max > 0.0) {
        (false, false) => Status::Same,
        (false, true) => Status::New,
        (true, false) => Status::Gone,
        (true, true) => {
            let same = |values: &(Vec<f64>, Vec<f64>)| {
                let (mut before, mut after) = values.clone();
                before.sort_by(f64::total_cmp);
                after.sort_by(f64::total_cmp);
                before == after || is_constant(&before, &after)
            };
            if values.is_some_and(same) {
                Status::Same
            } else {
                Status::Changed
            }
        }
    }
}

fn is_constant(before: &[f64], after: &[f64]) -> bool {
    let mut values = before.iter().chain(after);
    let first = values.next();
    values.all(|value| Some(value) == first)
}

/// Largest difference first; what one side does not know last but for what is
/// the same.
pub(super) fn weight(change: &Change) -> f64 {
    let largest = |change: &Change| {
        let known = change.before.or(change.after);
        known.map_or(0.0, |known| known.median)
    };
    change.difference.map_or_else(|| largest(change), f64::abs)
}
