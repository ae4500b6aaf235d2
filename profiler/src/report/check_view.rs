//! The result of a check as a view.

use super::{
    gate::words::{bound, groups, headline, judged},
    units::{amount, count, duration_ns},
    view::{Block, Cell, Fact, Kind, List, Points, Scope, Section, Table, Tone, View, column},
};
use crate::gate::{
    judged::Outcome,
    verdict::{Against, Finding, Verdict},
};

/// The result as people read it.
#[must_use]
pub fn view(verdict: &Verdict) -> View {
    let mut sections = vec![findings(verdict)];
    let points = groups(&verdict.findings).into_iter().map(|group| {
        let lines = group.lines.into_iter();
        (group.title, lines.map(|line| Fact::new("", line)).collect())
    });
    let points: Vec<(String, Vec<Fact>)> = points.collect();
    if !points.is_empty() {
        let list = List {
            what: "findings",
            field: "findings",
            usual: usize::MAX,
        };
        let blocks = vec![Block::Points(Points { list, points })];
        sections.push(Section::new("reasons", "Why", blocks));
    }
    let mut facts = Vec::new();
    for (side, runs) in [("", &verdict.runs), ("baseline ", &verdict.baseline)] {
        facts.extend(runs.iter().map(|run| {
            let text = format!(
                "{} entries in {}, {} on {}",
                count(run.total),
                duration_ns(run.duration_ns),
                run.backend.name,
                run.kernel
            );
            Fact::new(format!("{side}{}", run.name), text)
        }));
    }
    facts.extend(verdict.notes.iter().map(|note| Fact::new("note", note)));
    sections.push(Section::new("runs", "Runs", vec![Block::Facts(facts)]));
    View {
        kind: "check",
        verdict: headline(verdict),
        is_bad: matches!(verdict.outcome, Outcome::Breach | Outcome::Inconclusive),
        sections,
        schema_version: verdict.schema_version,
        ..View::default()
    }
}

/// What was judged: of rows that are held against a baseline, those above it.
fn findings(verdict: &Verdict) -> Section {
    let is_baseline = verdict.against == Against::Baseline;
    let shown = |finding: &&Finding| !is_baseline || finding.outcome != Outcome::Pass;
    let findings: Vec<&Finding> = verdict.findings.iter().filter(shown).collect();
    let mut columns = vec![
        column("result", Kind::Text),
        column(if is_baseline { "row" } else { "limit" }, Kind::Text),
        column("counted", Kind::Number),
        column("allowed", Kind::Number),
    ];
    if is_baseline {
        columns.push(column("baseline", Kind::Number));
    }
    let rows = findings.iter().map(|finding| {
        let new = if finding.is_new { " (new)" } else { "" };
        let mut cells = vec![
            Cell::from(finding.outcome.name()),
            format!("{}{new}", finding.name).into(),
            judged(finding).into(),
            bound(finding).into(),
        ];
        if is_baseline {
            cells.push(range(&finding.baseline).into());
        }
        cells
    });
    let mut blocks = Vec::new();
    if !findings.is_empty() {
        blocks.push(Block::Table(Table {
            caption: "What was counted, and what is allowed".to_owned(),
            list: List {
                what: "limits",
                field: "findings",
                usual: usize::MAX,
            },
            rows: rows.collect(),
            columns,
            heads: 2,
            scope: Scope::Always,
        }));
    }
    let hidden = verdict.findings.len() - findings.len();
    if hidden != 0 {
        let text = format!("{hidden} rows are not above the baseline");
        blocks.push(Block::prose(Tone::Faint, text));
    }
    let title = if is_baseline { "Rows" } else { "Limits" };
    Section::new("limits", title, blocks)
}

/// The smallest and the largest of several runs.
fn range(values: &[Option<f64>]) -> String {
    let known = || values.iter().flatten().copied();
    let least = known().fold(f64::INFINITY, f64::min);
    let most = known().fold(f64::NEG_INFINITY, f64::max);
    if least > most {
        "-".to_owned()
    } else if least < most {
        format!("{} to {}", amount(least), amount(most))
    } else {
        amount(most)
    }
}
