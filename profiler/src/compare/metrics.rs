//! Two sides by the program's own numbers.

use super::{
    metric::Metric,
    model::{MetricChange, Spread},
    side::Group,
};
use crate::stats::judgement::Judgement;

/// The program's own numbers that are judged, as far as it has them. Everything
/// else is shown with its interval and not judged, since the more one looks at,
/// the more chance finds.
const JUDGED: [Metric; 3] = [Metric::Iops, Metric::LatencyP99Ns, Metric::LatencyP9999Ns];
/// Judged instead where a program has no throughput of its own.
const JUDGED_WITHOUT_IO: [Metric; 1] = [Metric::WallNs];

/// Which of these rows' metrics are judged.
#[must_use]
pub fn judged(rows: &[MetricChange]) -> &'static [Metric] {
    if rows.iter().any(|row| row.metric == Metric::Iops) {
        &JUDGED
    } else {
        &JUDGED_WITHOUT_IO
    }
}

/// A number in each run of a side, if every run has it.
pub(super) fn values(group: &Group<'_>, metric: Metric) -> Option<Vec<f64>> {
    let runs = group.profiles.iter();
    runs.map(|run| metric.of(run)).collect()
}

/// All numbers that a side has.
#[must_use]
pub fn changes(before: &Group<'_>, after: &Group<'_>) -> Vec<MetricChange> {
    let row = |metric| {
        let (before, after) = (values(before, metric), values(after, metric));
        let judgement = before
            .as_deref()
            .zip(after.as_deref())
            .and_then(|(before, after)| Judgement::of(before, after));
        let (before, after) = (before.and_then(Spread::of), after.and_then(Spread::of));
        MetricChange {
            metric,
            ratio: before
                .zip(after)
                .and_then(|(before, after)| after.ratio_to(&before)),
            before,
            after,
            judgement,
        }
    };
    let rows = Metric::ALL.into_iter().map(row);
    rows.filter(|row| row.before.is_some() || row.after.is_some())
        .collect()
}
