//! Throughput and the program's other numbers, and what a variant costs.

use super::verdicts::{self, Compared};
use crate::{
    experiment::{
        conclude::value,
        model::{Comparison, Costs, Experiment, Metric, MetricComparison},
    },
    report::{
        units::{amount, bytes, duration_ns, round_up},
        view::{
            Block, Cell, Fact, Kind, List, Scope, Section, Table,
            chart::{Chart, Ratio, Runs, RunsRow, Words},
            column,
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
pub(super) fn section(experiment: &Experiment) -> Option<Section> {
    let comparisons: Vec<&Comparison> = experiment.comparisons().collect();
    if comparisons.iter().all(|found| found.metrics.is_empty()) {
        return None;
    }
    let drawn = DRAWN.into_iter();
    let drawn = drawn.filter_map(|(metric, id, title)| runs(experiment, metric, id, title));
    let mut blocks: Vec<Block> = drawn.map(Block::Chart).collect();
    let ratios = ratios(&comparisons);
    if !ratios.is_empty() {
        let chart = Chart::Ratios("metrics-ratios".to_owned(), ratios);
        blocks.push(Block::Chart(chart));
    }
    blocks.push(Block::Table(table(experiment, &comparisons)));
    blocks.push(Block::Facts(costs(&comparisons)));
    let title = "Throughput, time and memory";
    Some(Section::new("metrics", title, blocks))
}

fn runs(experiment: &Experiment, metric: Metric, id: &str, title: &str) -> Option<Chart> {
    let rows = experiment.variants.iter().filter_map(|variant| {
        let values = variant.profiles.iter();
        let values: Vec<f64> = values.filter_map(|p| metric.of(p)).collect();
        let median = Spread::of(values.iter().copied())?.median;
        Some(RunsRow {
            label: format!("{}: {}", variant.name, value(metric, median)),
            values,
            median,
        })
    });
    let rows: Vec<RunsRow> = rows.collect();
    rows.first()?;
    let values = rows.iter().flat_map(|row| &row.values);
    let end = round_up(values.copied().fold(0.0, f64::max));
    let words = Words::new(
        id,
        title,
        "A dot for each run and a bar at the median, for each variant, from 0. The table below has the medians, with smallest and largest.",
    );
    let runs = Runs {
        rows,
        end,
        end_words: value(metric, end),
    };
    Some(Chart::Runs(words, runs))
}

fn found(comparison: &Comparison, metric: Metric) -> Option<&MetricComparison> {
    comparison.metrics.iter().find(|row| row.metric == metric)
}

fn ratios(comparisons: &[&Comparison]) -> Vec<Ratio> {
    let is_several = comparisons.len() > 1;
    let mut rows = Vec::new();
    for metric in Metric::ALL {
        for comparison in comparisons {
            let label = verdicts::label(comparison, is_several, metric.words());
            let row = found(comparison, metric)
                .and_then(|row| verdicts::dot(label, row.ratio, row.judgement.as_ref()));
            rows.extend(row);
        }
    }
    rows
}

fn table(experiment: &Experiment, comparisons: &[&Comparison]) -> Table {
    let mut columns = vec![column("the program's own numbers", Kind::Text)];
    columns.extend(verdicts::columns(experiment));
    let rows = Metric::ALL.into_iter().filter_map(|metric| {
        let all: Vec<_> = comparisons.iter().map(|c| found(c, metric)).collect();
        if all.iter().all(Option::is_none) {
            return None;
        }
        let before = all.iter().copied().flatten().find_map(|row| row.before);
        let others = all.into_iter().map(|row| Compared {
            after: row.and_then(|row| row.after),
            ratio: row.and_then(|row| row.ratio),
            judgement: row.and_then(|row| row.judgement.as_ref()),
            is_there: row.is_some(),
        });
        let mut cells = vec![Cell::from(metric.words())];
        cells.extend(verdicts::cells(before, others, |v| value(metric, v)));
        Some(cells)
    });
    Table {
        caption: "The program's own numbers: medians of the runs".to_owned(),
        list: List {
            what: "numbers",
            field: "comparison.metrics",
            usual: usize::MAX,
        },
        rows: rows.collect(),
        columns,
        heads: 1,
        scope: Scope::Always,
    }
}

/// What each variant costs, and what it saves.
fn costs(comparisons: &[&Comparison]) -> Vec<Fact> {
    let facts = comparisons.iter().flat_map(|found| {
        let (saved, cost): (Vec<_>, Vec<_>) =
            parts(&found.costs).into_iter().partition(|part| part.0);
        [("cost", cost), ("saves", saved)].map(|(name, parts)| {
            let parts: Vec<String> = parts.into_iter().map(|(_, text)| text).collect();
            let text = format!("{}: {}", found.after, parts.join("; "));
            (!parts.is_empty()).then(|| Fact::new(name, text))
        })
    });
    facts.flatten().collect()
}

/// Each amount in words, and whether it is saved.
fn parts(costs: &Costs) -> Vec<(bool, String)> {
    let whole = |value: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an absolute value, far below u64's limit"
        )]
        let whole = value.abs().round() as u64;
        whole
    };
    let part = |value: f64, amount: String, what: &str| {
        let is_saved = value < 0.0;
        let more = if is_saved { "less" } else { "more" };
        (is_saved, format!("{amount} {more} {what}"))
    };
    let mut parts = Vec::new();
    if let Some(more) = costs.resident_bytes {
        parts.push(part(more, bytes(whole(more)), "memory resident"));
    }
    if let Some(locked) = costs.locked_bytes.filter(|&locked| locked != 0.0) {
        parts.push(part(locked, bytes(whole(locked)), "locked"));
    }
    if let Some(more) = costs.time_ns {
        let what = if costs.is_setup { "set-up" } else { "run time" };
        parts.push(part(more, duration_ns(whole(more)), what));
    }
    if let Some(pages) = costs.unused_pages {
        let pages = amount(pages.round());
        parts.push((false, format!("{pages} pages populated and never used")));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Less of something is no cost.
    #[test]
    fn savings_are_no_costs() {
        let comparison = Comparison {
            after: "b".to_owned(),
            costs: Costs {
                resident_bytes: Some(4096.0),
                time_ns: Some(-36_400_000.0),
                ..Costs::default()
            },
            ..Comparison::default()
        };
        let facts = costs(&[&comparison]).into_iter();
        let facts: Vec<(String, String)> = facts.map(|fact| (fact.name, fact.text)).collect();
        let expected = [
            ("cost", "b: 4 KiB more memory resident"),
            ("saves", "b: 36.4 ms less run time"),
        ];
        assert_eq!(facts, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    }
}
