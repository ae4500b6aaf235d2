//! A comparison as tables of words, for text and Markdown alike.

use super::units::amount;
use crate::compare::{
    causes::ENTRIES,
    model::{Basis, CauseChange, Change, CodeChange, Compared, Comparison, Place, Side, Status},
};

/// Rows shown of each table.
const LONGEST: usize = 16;
/// Letters shown of code and of mappings where there is room.
const NAME: usize = 60;
/// Columns that the rest of a table needs.
const BESIDE: usize = 51;
/// No narrower than this, whatever the terminal says.
const NARROWEST: usize = 16;

/// One table.
pub(super) struct Sheet {
    pub(super) title: String,
    pub(super) headings: Vec<String>,
    /// So many columns are text, the others numbers.
    pub(super) text_columns: usize,
    pub(super) rows: Vec<Vec<String>>,
    /// What was left out.
    pub(super) note: Option<String>,
}

/// All tables of one comparison, for a terminal of so many columns.
pub(super) fn sheets(all: &Compared, found: &Comparison, columns: Option<usize>) -> Vec<Sheet> {
    let room = columns.map_or(NAME, |columns| {
        columns.saturating_sub(BESIDE).clamp(NARROWEST, NAME)
    });
    let mut sheets = Vec::new();
    if found.steady {
        let mut rows = totals(found);
        rows.extend(found.by_cause_steady.iter().map(cause_row));
        sheets.extend(sheet(
            all,
            found,
            ("Entries in steady state", found.steady_basis),
            &["cause", "detail"],
            &rows,
        ));
    }
    let mut causes = if found.steady {
        Vec::new()
    } else {
        totals(found)
    };
    causes.extend(found.by_cause.iter().map(cause_row));
    let whole = found.whole_basis;
    let title = ("Entries in the whole run", whole);
    sheets.extend(sheet(all, found, title, &["cause", "detail"], &causes));
    let code: Vec<Row<'_>> = found
        .by_code
        .iter()
        .map(|row| code_row(row, room))
        .collect();
    sheets.extend(sheet(
        all,
        found,
        ("By code", whole),
        &["detail", "code"],
        &code,
    ));
    let threads = found.by_thread.iter().map(|row| {
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
    let threads: Vec<Row<'_>> = threads.collect();
    sheets.extend(sheet(
        all,
        found,
        ("By thread", whole),
        &["thread"],
        &threads,
    ));
    let mappings = found.by_mapping.iter().map(|row| {
        let what = short(&row.what, room);
        (vec![row.kind.clone(), what], &row.change, None)
    });
    let mappings: Vec<Row<'_>> = mappings.collect();
    let title = ("Page faults by mapping", whole);
    sheets.extend(sheet(all, found, title, &["kind", "mapping"], &mappings));
    sheets
}

/// Words, a number on both sides, and a word to say beside it.
type Row<'a> = (Vec<String>, &'a Change, Option<&'static str>);

fn totals(found: &Comparison) -> Vec<Row<'_>> {
    found.totals.iter().map(cause_row).collect()
}

fn cause_row(row: &CauseChange) -> Row<'_> {
    (
        vec![row.cause.to_string(), row.detail.clone()],
        &row.change,
        None,
    )
}

fn code_row(row: &CodeChange, room: usize) -> Row<'_> {
    let place = match (&row.place_before, &row.place_after) {
        (Some(before), Some(after)) if before != after => {
            format!(" {}→{}", place(before), place_beside(before, after))
        }
        (Some(one), _) | (None, Some(one)) => format!(" {}", place(one)),
        (None, None) => String::new(),
    };
    let code = short(&format!("{}{place}", row.code), room);
    (
        vec![row.detail.clone(), code],
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

/// A text with its beginning cut off, which is the less telling part of a
/// function with its place.
fn short(text: &str, most: usize) -> String {
    let letters = text.chars().count();
    if letters <= most {
        return text.to_owned();
    }
    let end: String = text.chars().skip(letters + 1 - most).collect();
    format!("…{end}")
}

/// A table, or nothing if it would be empty.
fn sheet(
    all: &Compared,
    found: &Comparison,
    (title, basis): (&str, Basis),
    names: &[&str],
    rows: &[Row<'_>],
) -> Option<Sheet> {
    if rows.is_empty() {
        return None;
    }
    // Repeated runs may differ and have the same median all the same.
    let is_same = |row: &Row<'_>| {
        let difference = row.1.difference;
        row.2.is_none() && difference.map_or(row.1.status == Status::Same, |found| found == 0.0)
    };
    let same = rows.iter().filter(|row| is_same(row)).count();
    let shown: Vec<&Row<'_>> = rows.iter().filter(|row| !is_same(row)).collect();
    let has_intervals = shown.iter().any(|row| row.1.judgement.is_some());
    let mut headings: Vec<String> = names.iter().copied().map(str::to_owned).collect();
    headings.push(found.before.clone());
    headings.push(found.after.clone());
    if has_intervals {
        headings.push("ratio (95 % interval)".to_owned());
    } else {
        headings.push("change".to_owned());
        headings.push("ratio".to_owned());
    }
    let bound = |label: &str, words: &[String]| -> &'static str {
        let side = all.sides.iter().find(|side| side.label == label);
        let is_sum = words.first().is_some_and(|cause| cause == ENTRIES);
        let is_bound = |side: &Side| side.bounds_each_count || is_sum && !side.inexact.is_empty();
        if side.is_some_and(is_bound) {
            "≥ "
        } else {
            ""
        }
    };
    let cells = shown.iter().take(LONGEST).map(|row| {
        let bounds = (bound(&found.before, &row.0), bound(&found.after, &row.0));
        cells_of(row, basis, bounds, has_intervals)
    });
    let mut left_out = Vec::new();
    if shown.len() > LONGEST {
        left_out.push(format!("{} smaller differences", shown.len() - LONGEST));
    }
    if same != 0 {
        left_out.push(match same {
            1 => "1 row without a difference".to_owned(),
            more => format!("{more} rows without a difference"),
        });
    }
    let unit = match basis {
        Basis::PerRun => "per run",
        Basis::PerSecond => "per second",
        Basis::PerMillionIos => "per million I/Os",
    };
    Some(Sheet {
        title: format!("{title}, {unit}"),
        headings,
        text_columns: names.len(),
        rows: cells.collect(),
        note: (!left_out.is_empty()).then(|| {
            format!(
                "not shown: {}; `--format json` has them all",
                left_out.join(" and ")
            )
        }),
    })
}

fn cells_of(
    (words, change, remark): &Row<'_>,
    basis: Basis,
    bounds: (&str, &str),
    has_intervals: bool,
) -> Vec<String> {
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
    cells
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
