//! Entries by cause, before and after.

use maud::{Markup, html};

use super::verdicts;
use crate::{
    experiment::{
        compare,
        model::{CauseComparison, Comparison, Experiment},
    },
    report::{
        comparison::totals,
        html::{
            chart::{
                bars::{self, Bar, Row},
                frame::Words,
                ratios,
            },
            page::Section,
            prose::entry,
            table::{Column, Kind, more, table},
        },
        units::amount,
    },
    stats::spread::Spread,
};

/// Bars of the chart, and rows of each table.
const BARS: usize = 10;
const ROWS: usize = 60;

/// The sections: steady state if one was marked, and whole runs.
#[must_use]
pub fn sections(experiment: &Experiment) -> Vec<Section> {
    let mut sections = Vec::new();
    if compare::is_steady(&experiment.variants) {
        let body = body(experiment, true, "steady");
        sections.push(Section::new(
            "steady",
            "Entries in steady state, per run",
            body,
        ));
    }
    let body = body(experiment, false, "whole");
    sections.push(Section::new("whole", "Entries in the whole run", body));
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
    let mut places = std::collections::BTreeMap::new();
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

fn body(experiment: &Experiment, steady: bool, id: &str) -> Markup {
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
    let names: Vec<&str> = experiment
        .variants
        .iter()
        .map(|found| found.name.as_str())
        .collect();
    let (bars_id, ratios_id) = (format!("{id}-bars"), format!("{id}-ratios"));
    let bars_words = Words {
        id: &bars_id,
        title: "Entries per run, medians, all bars to one scale",
        text: "A bar for each variant, cause by cause. The table below has the same numbers.",
    };
    let shown: Vec<&Line<'_>> = details
        .iter()
        .filter(|line| line.medians().iter().any(|&median| median > 0.0))
        .take(BARS)
        .collect();
    let all = || totals.iter().chain(&details);
    let dots = ratio_rows(experiment, totals.iter().chain(shown.iter().copied()));
    html! {
        @if shown.is_empty() { p { "No entry was seen." } }
        @else { (bars::chart(bars_words, &names, &bar_rows(&shown))) }
        @if !dots.is_empty() { (ratios::chart(&ratios_id, &dots)) }
        (numbers(experiment, all().take(ROWS)))
        (more(all().count(), ROWS, "causes", "comparison"))
    }
}

fn bar_rows(lines: &[&Line<'_>]) -> Vec<Row> {
    let row = |line: &&Line<'_>| Row {
        label: entry(line.cause, line.detail),
        bars: line
            .medians()
            .into_iter()
            .enumerate()
            .map(|(n, median)| Bar::whole(n, median, amount(median)))
            .collect(),
    };
    lines.iter().map(row).collect()
}

fn ratio_rows<'a>(
    experiment: &Experiment,
    lines: impl Iterator<Item = &'a Line<'a>>,
) -> Vec<ratios::Row> {
    let comparisons: Vec<&Comparison> = experiment.comparisons().collect();
    let is_several = comparisons.len() > 1;
    lines
        .flat_map(|line| {
            comparisons
                .iter()
                .zip(&line.found)
                .filter_map(move |(comparison, row)| {
                    let row = (*row)?;
                    let name = entry(line.cause, line.detail);
                    let label = verdicts::label(comparison, is_several, &name);
                    verdicts::row(label, row.ratio, row.judgement.as_ref())
                })
                .collect::<Vec<_>>()
        })
        .collect()
}

fn numbers<'a>(experiment: &Experiment, lines: impl Iterator<Item = &'a Line<'a>>) -> Markup {
    let first = experiment.variants.first().map_or("", |found| &found.name);
    let headings: Vec<[String; 4]> = experiment
        .comparisons()
        .map(|found| {
            let after = &found.after;
            [
                after.clone(),
                format!("{after} / {first}"),
                "95 % interval".to_owned(),
                "verdict".to_owned(),
            ]
        })
        .collect();
    let mut columns: Vec<Column<'_>> = vec![
        ("cause", Kind::Text),
        ("detail", Kind::Code),
        (first, Kind::Number),
    ];
    for [after, ratio, interval, verdict] in &headings {
        columns.extend([
            (after.as_str(), Kind::Number),
            (ratio.as_str(), Kind::Number),
            (interval.as_str(), Kind::Number),
            (verdict.as_str(), Kind::Text),
        ]);
    }
    let rows = lines.map(|line| {
        let mut cells = vec![
            line.cause.to_owned(),
            line.detail.to_owned(),
            amount(line.before().median),
        ];
        for row in &line.found {
            let judgement = row.and_then(|row| row.judgement.as_ref());
            cells.extend([
                amount(row.map_or(0.0, |row| row.after.median)),
                verdicts::ratio(row.and_then(|row| row.ratio)),
                verdicts::interval(judgement),
                row.map_or_else(|| "-".to_owned(), |_| verdicts::words(judgement)),
            ]);
        }
        cells
    });
    table(
        "Entries per run by cause: medians of the runs",
        &columns,
        2,
        rows,
    )
}
