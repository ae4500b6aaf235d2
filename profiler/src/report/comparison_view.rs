//! A comparison as a view.

use super::{
    units::{self, amount, duration_ns, rate},
    view::{Block, Cell, Column, Fact, Kind, List, Scope, Section, Table, Tone, View, column},
};
use crate::compare::{
    causes::ENTRIES,
    model::{Basis, CauseChange, Change, CodeChange, Compared, Comparison, Place, Side, Status},
};

/// A comparison as people read it.
#[must_use]
pub fn view(found: &Compared) -> View {
    let warnings = found.warnings.iter();
    let mut facts: Vec<Fact> = warnings.map(|text| Fact::new("with care", text)).collect();
    let sides = found.sides.iter();
    facts.extend(sides.map(|side| Fact::new(&side.label, describe(side))));
    let title = "What was compared";
    let mut sections = vec![Section::new("sides", title, vec![Block::Facts(facts)])];
    for (number, comparison) in found.comparisons.iter().enumerate() {
        sections.extend(tables(found, comparison, number));
    }
    if let Some(text) = method(found) {
        let facts = Block::Facts(vec![Fact::new("method", text)]);
        sections.push(Section::new("method", "Method", vec![facts]));
    }
    View {
        kind: "comparison",
        verdict: found.verdict.clone(),
        sections,
        schema_version: found.schema_version,
        ..View::default()
    }
}

/// A side in words.
fn describe(side: &Side) -> String {
    let mut parts = vec![match side.entries.runs {
        1 => "1 run".to_owned(),
        runs => format!("{runs} runs"),
    }];
    if !side.command.is_empty() {
        let command = units::shortened(&side.command.join(" "));
        parts.push(format!("`{command}`"));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a median of times, which are not negative"
    )]
    let duration = side.duration_ns.median as u64;
    parts.push(format!(
        "{} entries in {}",
        amount(side.entries.median),
        duration_ns(duration)
    ));
    let mut rates = Vec::new();
    rates.extend(side.per_second.map(|found| format!("{}/s", rate(found))));
    rates.extend(
        side.steady_per_second
            .map(|found| format!("steady state {}/s", rate(found))),
    );
    rates.extend(
        side.steady_per_million_ios
            .map(|found| format!("{} per million I/Os", rate(found))),
    );
    if !rates.is_empty() {
        parts.push(rates.join(", "));
    }
    parts.join("; ")
}

/// How it was judged, where there is anything to judge.
fn method(found: &Compared) -> Option<String> {
    let method = &found.method;
    (method.runs > 1).then(|| {
        format!(
            "medians, and 95 % intervals of their ratio by bootstrap; * differs by an exact rank \
             test, {} totals judged together at {:.0} % (Holm), for which {} runs of each side are \
             needed; what has no star was not judged or did not differ",
            method.judged,
            method.level * 100.0,
            method.runs_needed
        )
    })
}

/// Words, a number on both sides, and a word to say beside it.
type Row<'a> = (Vec<String>, &'a Change, Option<&'static str>);

/// What the tables of one comparison have in common.
struct Pair<'a> {
    all: &'a Compared,
    found: &'a Comparison,
    number: usize,
}

/// All tables of one comparison.
fn tables(all: &Compared, found: &Comparison, number: usize) -> Vec<Section> {
    let pair = Pair { all, found, number };
    let totals = || found.totals.iter().map(cause_row);
    let names = [("cause", Kind::Text), ("detail", Kind::Name)];
    let mut sections = Vec::new();
    if found.steady {
        let rows: Vec<_> = totals()
            .chain(found.by_cause_steady.iter().map(cause_row))
            .collect();
        let title = ("steady", "Entries in steady state", "by_cause_steady");
        sections.extend(pair.section(title, found.steady_basis, &names, &rows));
    }
    let whole = found.whole_basis;
    let totals = totals().filter(|_| !found.steady);
    let rows: Vec<_> = totals.chain(found.by_cause.iter().map(cause_row)).collect();
    let title = ("whole", "Entries in the whole run", "by_cause");
    sections.extend(pair.section(title, whole, &names, &rows));
    let rows: Vec<_> = found.by_code.iter().map(code_row).collect();
    let names = [("detail", Kind::Name), ("code", Kind::Path)];
    let title = ("code", "By code", "by_code");
    sections.extend(pair.section(title, whole, &names, &rows));
    let rows = found.by_thread.iter().map(|row| {
        let count = |threads: f64| match amount(threads) {
            one if one == "1" => String::new(),
            more => format!(" ×{more}"),
        };
        let (before, after) = (row.threads_before.median, row.threads_after.median);
        let name = if count(before) == count(after) {
            format!("{}{}", row.name, count(before))
        } else {
            format!("{} ×{} → ×{}", row.name, amount(before), amount(after))
        };
        (vec![name], &row.change, None)
    });
    let rows: Vec<_> = rows.collect();
    let title = ("threads", "By thread", "by_thread");
    sections.extend(pair.section(title, whole, &[("thread", Kind::Name)], &rows));
    let rows = found.by_mapping.iter();
    let rows = rows.map(|row| (vec![row.kind.clone(), row.what.clone()], &row.change, None));
    let rows: Vec<_> = rows.collect();
    let names = [("kind", Kind::Name), ("mapping", Kind::Path)];
    let title = ("mappings", "Page faults by mapping", "by_mapping");
    sections.extend(pair.section(title, whole, &names, &rows));
    sections
}

fn cause_row(row: &CauseChange) -> Row<'_> {
    (
        vec![row.cause.to_string(), row.detail.clone()],
        &row.change,
        None,
    )
}

fn code_row(row: &CodeChange) -> Row<'_> {
    let place = match (&row.place_before, &row.place_after) {
        (Some(before), Some(after)) if before != after => {
            format!(" {}→{}", place(before), place_beside(before, after))
        }
        (Some(one), _) | (None, Some(one)) => format!(" {}", place(one)),
        (None, None) => String::new(),
    };
    (
        vec![row.detail.clone(), format!("{}{place}", row.code)],
        &row.change,
        row.moved.then_some("moved"),
    )
}

fn place(place: &Place) -> String {
    place.line.map_or_else(
        || place.file.clone(),
        |line| format!("{}:{line}", place.file),
    )
}

/// The second place, without the file if that is the same.
fn place_beside(before: &Place, after: &Place) -> String {
    match after.line {
        Some(line) if before.file == after.file => line.to_string(),
        _ => place(after),
    }
}

impl Pair<'_> {
    /// A table, or nothing if it would be empty.
    fn section(
        &self,
        (id, title, field): (&str, &str, &'static str),
        basis: Basis,
        names: &[(&str, Kind)],
        rows: &[Row<'_>],
    ) -> Option<Section> {
        rows.first()?;
        // Repeated runs may differ and have the same median all the same.
        let is_same = |row: &Row<'_>| {
            let difference = row.1.difference;
            row.2.is_none() && difference.map_or(row.1.status == Status::Same, |found| found == 0.0)
        };
        let same = rows.iter().filter(|row| is_same(row)).count();
        let shown: Vec<&Row<'_>> = rows.iter().filter(|row| !is_same(row)).collect();
        let has_intervals = shown.iter().any(|row| row.1.judgement.is_some());
        let (before, after) = (&self.found.before, &self.found.after);
        let mut columns: Vec<Column> = names
            .iter()
            .map(|&(name, kind)| column(name, kind))
            .collect();
        let numbers: &[&str] = if has_intervals {
            &[before, after, "ratio (95 % interval)"]
        } else {
            &[before, after, "change", "ratio"]
        };
        columns.extend(numbers.iter().map(|name| column(*name, Kind::Number)));
        let cells = shown.iter().map(|row| {
            let bounds = (self.bound(before, &row.0), self.bound(after, &row.0));
            cells_of(row, basis, bounds, has_intervals)
        });
        let unit = match basis {
            Basis::PerRun => "per run",
            Basis::PerSecond => "per second",
            Basis::PerMillionIos => "per million I/Os",
        };
        let title = if self.all.comparisons.len() > 1 {
            format!("{after} beside {before}: {title}, {unit}")
        } else {
            format!("{title}, {unit}")
        };
        let mut blocks = Vec::new();
        if !shown.is_empty() {
            blocks.push(Block::Table(Table {
                caption: title.clone(),
                list: List {
                    what: "smaller differences",
                    field,
                    usual: 16,
                },
                rows: cells.collect(),
                columns,
                heads: names.len(),
                scope: Scope::Always,
            }));
        }
        if same != 0 {
            let rows = match same {
                1 => "1 row".to_owned(),
                more => format!("{more} rows"),
            };
            let text =
                format!("not shown: {rows} without a difference; `--format json` has them all");
            blocks.push(Block::prose(Tone::Faint, text));
        }
        Some(Section::new(format!("{id}-{}", self.number), title, blocks))
    }

    /// What stands before a count that is a lower bound.
    fn bound(&self, label: &str, words: &[String]) -> &'static str {
        let side = self.all.sides.iter().find(|side| side.label == label);
        let is_sum = words.first().is_some_and(|cause| cause == ENTRIES);
        let is_bound = |side: &Side| side.bounds_each_count || is_sum && !side.inexact.is_empty();
        if side.is_some_and(is_bound) {
            "≥ "
        } else {
            ""
        }
    }
}

fn cells_of(
    (words, change, remark): &Row<'_>,
    basis: Basis,
    bounds: (&str, &str),
    has_intervals: bool,
) -> Vec<Cell> {
    let (before, after) = values(change, basis);
    let number = |value: Option<f64>, bound: &str| {
        value.map_or_else(|| "unknown".to_owned(), |v| format!("{bound}{}", amount(v)))
    };
    let mut cells = words.clone();
    cells.push(number(before, bounds.0));
    cells.push(number(after, bounds.1));
    let mut last = match change.status {
        Status::New => "new".to_owned(),
        Status::Gone => "gone".to_owned(),
        Status::Unknown => "-".to_owned(),
        Status::Same | Status::Changed => change
            .ratio
            .map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}")),
    };
    let judgement = change.judgement.as_ref();
    if judgement.is_some_and(|found| found.differs) {
        last.push('*');
    }
    if has_intervals {
        let interval = judgement.and_then(|found| found.ratio);
        let interval =
            interval.filter(|found| change.status == Status::Changed && found.low < found.high);
        if let Some(found) = interval {
            last = format!("{last} ({:.2} to {:.2})", found.low, found.high);
        }
    } else {
        let sign = |value: f64| if value < 0.0 { "-" } else { "+" };
        cells.push(change.difference.map_or_else(
            || "-".to_owned(),
            |value| match value {
                0.0 => "0".to_owned(),
                _ => format!("{}{}", sign(value), amount(value.abs())),
            },
        ));
    }
    if let Some(remark) = remark {
        last = format!("{remark} {last}");
    }
    cells.push(last);
    cells.into_iter().map(Cell::from).collect()
}

fn values(change: &Change, basis: Basis) -> (Option<f64>, Option<f64>) {
    let rates = match basis {
        Basis::PerRun => {
            let median = |side: Option<crate::compare::model::Spread>| side.map(|side| side.median);
            return (median(change.before), median(change.after));
        }
        Basis::PerSecond => change.per_second,
        Basis::PerMillionIos => change.per_million_ios,
    };
    (
        rates.map(|rates| rates.before),
        rates.map(|rates| rates.after),
    )
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, test_runner::Config};

    use super::*;
    use crate::{
        compare::{build, side::Group},
        profile::{arbitrary, model::Tool},
        report::{
            export::{self, Surface},
            format::DocumentKind,
            style::Look,
        },
    };

    fn side(label: &'static str) -> impl Strategy<Value = Group> {
        vec(arbitrary::profile(), 1..4).prop_map(move |profiles| Group {
            label: label.to_owned(),
            files: Vec::new(),
            profiles,
        })
    }

    proptest! {
        #![proptest_config(Config { cases: 16, failure_persistence: None, ..Config::default() })]

        /// Any comparison can be shown in any width, saved and read again.
        #[test]
        fn everything_can_be_shown(first in side("a"), second in side("b"), third in side("c")) {
            let found = build::compare(&[first, second, third], Tool::default());
            let mut out = Vec::new();
            for columns in [None, Some(1), Some(70)] {
                let look = Look { columns };
                let surface = Surface { look, by: crate::profile::merge::programs::By::default(), sources: None };
                for format in DocumentKind::Comparison.formats() {
                    let written = export::write(&found, format, &surface, &mut out);
                    prop_assert!(written.is_ok());
                }
            }
            let saved = serde_json::to_string(&found).expect("it can be saved");
            let read: Result<Compared, _> = serde_json::from_str(&saved);
            prop_assert!(read.is_ok(), "{:?}", read.err());
        }
    }
}
