//! Throughput and the program's other numbers.

use maud::{Markup, html};

use super::verdicts;
use crate::{
    experiment::{
        conclude::value,
        model::{Comparison, Experiment, Metric, MetricComparison},
    },
    report::{
        costs,
        html::{
            chart::{frame::Words, ratios, runs, scale::round_up},
            page::Section,
            table::{Column, Kind, facts, table},
        },
    },
    stats::spread::Spread,
};

/// Numbers of which every run is drawn, as far as there are any.
const DRAWN: [(Metric, &str, &str); 4] = [
    (
        Metric::Iops,
        "runs-iops",
        "Throughput: IOPS of each run; a bar at the median",
    ),
    (
        Metric::EntriesPerSecond,
        "runs-entries",
        "Entries per second of steady state, each run",
    ),
    (Metric::SetupNs, "runs-setup", "Set-up time of each run"),
    (Metric::WallNs, "runs-wall", "Time of each whole run"),
];

/// The section, if there are any numbers.
#[must_use]
pub fn section(experiment: &Experiment) -> Option<Section> {
    let comparisons: Vec<&Comparison> = experiment.comparisons().collect();
    if comparisons.iter().all(|found| found.metrics.is_empty()) {
        return None;
    }
    let rows = ratio_rows(&comparisons);
    let body = html! {
        @for (metric, id, title) in DRAWN { (drawn(experiment, metric, id, title)) }
        @if !rows.is_empty() { (ratios::chart("metrics-ratios", &rows)) }
        (numbers(experiment, &comparisons))
        (costs_list(&comparisons))
    };
    Some(Section::new("metrics", "Throughput, time and memory", body))
}

fn drawn(experiment: &Experiment, metric: Metric, id: &str, title: &str) -> Markup {
    let rows: Vec<runs::Row> = experiment
        .variants
        .iter()
        .filter_map(|variant| {
            let values: Vec<f64> = variant
                .profiles
                .iter()
                .filter_map(|p| metric.of(p))
                .collect();
            let median = Spread::of(values.iter().copied())?.median;
            let label = format!("{}: {}", variant.name, value(metric, median));
            Some(runs::Row {
                label,
                values,
                median,
            })
        })
        .collect();
    let largest = rows
        .iter()
        .flat_map(|row| &row.values)
        .copied()
        .fold(0.0, f64::max);
    let end = round_up(largest);
    let words = Words {
        id,
        title,
        text: "A dot for each run and a bar at the median, for each variant, from 0. The table below has the medians, with smallest and largest.",
    };
    html! {
        @if !rows.is_empty() { (runs::chart(words, &rows, end, &value(metric, end))) }
    }
}

fn found(comparison: &Comparison, metric: Metric) -> Option<&MetricComparison> {
    comparison.metrics.iter().find(|row| row.metric == metric)
}

fn ratio_rows(comparisons: &[&Comparison]) -> Vec<ratios::Row> {
    let is_several = comparisons.len() > 1;
    let mut rows = Vec::new();
    for metric in Metric::ALL {
        for comparison in comparisons {
            let label = verdicts::label(comparison, is_several, metric.words());
            let row = found(comparison, metric)
                .and_then(|row| verdicts::row(label, row.ratio, row.judgement.as_ref()));
            rows.extend(row);
        }
    }
    rows
}

/// A median with the range of the runs.
fn spread(metric: Metric, spread: Option<Spread>) -> String {
    let Some(spread) = spread else {
        return "-".to_owned();
    };
    let show = |number| value(metric, number);
    let (median, min, max) = (show(spread.median), show(spread.min), show(spread.max));
    if min == max {
        median
    } else {
        format!("{median} ({min} to {max})")
    }
}

fn numbers(experiment: &Experiment, comparisons: &[&Comparison]) -> Markup {
    let first = experiment.variants.first().map_or("", |found| &found.name);
    let ratios: Vec<String> = comparisons
        .iter()
        .map(|found| format!("{} / {first}", found.after))
        .collect();
    let mut columns: Vec<Column<'_>> = vec![("number", Kind::Text), (first, Kind::Number)];
    for (comparison, ratio) in comparisons.iter().zip(&ratios) {
        columns.extend([
            (comparison.after.as_str(), Kind::Number),
            (ratio.as_str(), Kind::Number),
            ("95 % interval", Kind::Number),
            ("verdict", Kind::Text),
        ]);
    }
    let rows = Metric::ALL.into_iter().filter_map(|metric| {
        let all: Vec<_> = comparisons.iter().map(|c| found(c, metric)).collect();
        let before = all.iter().copied().flatten().find_map(|row| row.before);
        all.iter().any(Option::is_some).then(|| {
            let mut cells = vec![metric.words().to_owned(), spread(metric, before)];
            for row in all {
                let judgement = row.and_then(|row| row.judgement.as_ref());
                cells.extend([
                    spread(metric, row.and_then(|row| row.after)),
                    verdicts::ratio(row.and_then(|row| row.ratio)),
                    verdicts::interval(judgement),
                    row.map_or_else(|| "-".to_owned(), |_| verdicts::words(judgement)),
                ]);
            }
            cells
        })
    });
    table(
        "The program's own numbers: medians of the runs (smallest to largest)",
        &columns,
        1,
        rows,
    )
}

fn costs_list(comparisons: &[&Comparison]) -> Markup {
    let costs = comparisons.iter().map(|found| {
        let parts = costs::parts(&found.costs);
        (found.after.as_str(), parts.join("; "))
    });
    let costs: Vec<_> = costs.filter(|(_, text)| !text.is_empty()).collect();
    html! { @if !costs.is_empty() { h3 { "What it costs" } (facts(costs)) } }
}
