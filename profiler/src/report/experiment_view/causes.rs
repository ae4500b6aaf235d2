//! Entries by cause, before and after.

use std::collections::BTreeMap;

use super::verdicts::{self, Compared};
use crate::{
    experiment::{
        compare,
        model::{CauseComparison, Comparison, Experiment},
    },
    report::{
        units::amount,
        verdict::entry,
        view::{
            Block, Kind, List, Scope, Section, Table, Tone,
            chart::{Bar, BarRow, Bars, Chart, Ratio, Words},
            column,
        },
    },
    stats::spread::Spread,
};

/// Bars of the chart.
const BARS: usize = 10;
/// Sums, and single causes, usually read.
const USUAL: usize = 3 + 16;

/// The sections: steady state if one was marked, and whole runs.
pub(super) fn sections(experiment: &Experiment) -> Vec<Section> {
    let mut sections = Vec::new();
    if compare::is_steady(&experiment.variants) {
        let title = "Entries in steady state, per run";
        sections.push(Section::new("steady", title, blocks(experiment, true)));
    }
    let title = "Entries in the whole run";
    sections.push(Section::new("whole", title, blocks(experiment, false)));
    sections
}

/// One cause in all variants: beside each comparison, where it has the cause.
struct Line<'a> {
    cause: &'a str,
    detail: &'a str,
    found: Vec<Option<&'a CauseComparison>>,
}

impl Line<'_> {
    fn before(&self) -> Spread {
        let first = self.found.iter().copied().flatten().next();
        first.map(|row| row.before).unwrap_or_default()
    }

    /// Medians, the first variant's at the front.
    fn medians(&self) -> Vec<f64> {
        let after = |row: Option<&CauseComparison>| row.map_or(0.0, |row| row.after.median);
        let mut medians = vec![self.before().median];
        medians.extend(self.found.iter().copied().map(after));
        medians
    }
}

fn lines<'a>(comparisons: &[&'a [CauseComparison]]) -> Vec<Line<'a>> {
    let mut lines: Vec<Line<'a>> = Vec::new();
    let mut places = BTreeMap::new();
    for row in comparisons.iter().flat_map(|rows| rows.iter()) {
        let key = (row.cause.as_str(), row.detail.as_str());
        places.entry(key).or_insert_with(|| {
            lines.push(Line {
                cause: key.0,
                detail: key.1,
                found: vec![None; comparisons.len()],
            });
            lines.len() - 1
        });
    }
    for (n, rows) in comparisons.iter().enumerate() {
        for row in *rows {
            let at = places.get(&(row.cause.as_str(), row.detail.as_str()));
            let line = at.and_then(|&at| lines.get_mut(at));
            if let Some(slot) = line.and_then(|line| line.found.get_mut(n)) {
                *slot = Some(row);
            }
        }
    }
    lines
}

/// Totals of all comparisons: those that were judged, or the others anew.
fn totals(experiment: &Experiment, steady: bool) -> Vec<Vec<CauseComparison>> {
    let others = experiment.variants.iter().skip(1);
    experiment
        .comparisons()
        .zip(others)
        .map(|(found, other)| {
            let is_judged = !found.totals.is_empty() && experiment.method.steady == steady;
            if is_judged {
                return found.totals.clone();
            }
            let first = experiment.variants.first().map(|found| &found.profiles[..]);
            compare::totals(first.unwrap_or_default(), &other.profiles, steady)
        })
        .collect()
}

fn blocks(experiment: &Experiment, steady: bool) -> Vec<Block> {
    let totals = totals(experiment, steady);
    let totals: Vec<&[CauseComparison]> = totals.iter().map(Vec::as_slice).collect();
    let details: Vec<&[CauseComparison]> = experiment
        .comparisons()
        .map(|found| {
            if steady {
                &found.steady[..]
            } else {
                &found.whole[..]
            }
        })
        .collect();
    let (totals, details) = (lines(&totals), lines(&details));
    let id = if steady { "steady" } else { "whole" };
    let shown: Vec<&Line<'_>> = details
        .iter()
        .filter(|line| line.medians().iter().any(|&median| median > 0.0))
        .take(BARS)
        .collect();
    let mut blocks = vec![if shown.is_empty() {
        Block::full_prose(Tone::Plain, "No entry was seen.")
    } else {
        Block::Chart(bars(experiment, &shown, id))
    }];
    let dots = ratios(experiment, totals.iter().chain(shown.iter().copied()));
    if !dots.is_empty() {
        blocks.push(Block::Chart(Chart::Ratios(format!("{id}-ratios"), dots)));
    }
    let lines = totals.iter().chain(&details);
    blocks.push(Block::Table(table(experiment, lines, steady)));
    blocks
}

fn bars(experiment: &Experiment, lines: &[&Line<'_>], id: &str) -> Chart {
    let words = Words::new(
        format!("{id}-bars"),
        "Entries per run, medians, all bars to one scale",
        "A bar for each variant, cause by cause. The table below has the same numbers.",
    );
    let row = |line: &&Line<'_>| BarRow {
        label: entry(line.cause, line.detail),
        bars: line
            .medians()
            .into_iter()
            .enumerate()
            .map(|(n, median)| Bar::whole(n, median, amount(median)))
            .collect(),
    };
    let names = experiment.variants.iter().map(|found| found.name.clone());
    let bars = Bars {
        series: names.collect(),
        rows: lines.iter().map(row).collect(),
    };
    Chart::Bars(words, bars)
}

fn ratios<'a>(experiment: &Experiment, lines: impl Iterator<Item = &'a Line<'a>>) -> Vec<Ratio> {
    let comparisons: Vec<&Comparison> = experiment.comparisons().collect();
    let is_several = comparisons.len() > 1;
    let of_line = |line: &'a Line<'a>| {
        let rows = comparisons.iter().zip(&line.found);
        let rows = rows.filter_map(|(comparison, row)| {
            let row = (*row)?;
            let name = entry(line.cause, line.detail);
            let label = verdicts::label(comparison, is_several, &name);
            verdicts::dot(label, row.ratio, row.judgement.as_ref())
        });
        rows.collect::<Vec<_>>()
    };
    lines.flat_map(of_line).collect()
}

fn table<'a>(
    experiment: &Experiment,
    lines: impl Iterator<Item = &'a Line<'a>>,
    steady: bool,
) -> Table {
    let mut columns = vec![column("cause", Kind::Text), column("detail", Kind::Name)];
    columns.extend(verdicts::columns(experiment));
    let rows = lines.map(|line| {
        let mut cells = vec![line.cause.into(), line.detail.into()];
        let before = Some(line.before());
        let others = line.found.iter().map(|row| Compared {
            after: Some(row.map(|row| row.after).unwrap_or_default()),
            ratio: row.and_then(|row| row.ratio),
            judgement: row.and_then(|row| row.judgement.as_ref()),
            is_there: row.is_some(),
        });
        cells.extend(verdicts::cells(before, others, amount));
        cells
    });
    let caption = if steady {
        "Entries per run by cause, in steady state: medians of the runs"
    } else {
        "Entries per run by cause: medians of the runs"
    };
    Table {
        caption: caption.to_owned(),
        list: List {
            what: "causes",
            field: "comparison",
            usual: USUAL,
        },
        rows: rows.collect(),
        columns,
        heads: 2,
        scope: Scope::Always,
    }
}
