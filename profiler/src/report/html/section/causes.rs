//! Entries by cause and phase.

use maud::{Markup, html};

use crate::{
    profile::{
        ledger::as_float,
        model::{CauseRow, Profile},
    },
    report::{
        html::{
            chart::{
                bars::{self, Bar, Row},
                frame::Words,
            },
            page::Section,
            prose::entry,
            table::{Column, Kind, more, table},
        },
        units::{count, duration_ns, rate, share},
    },
};

/// Bars of the chart.
const BARS: usize = 14;
/// Rows of the table.
const ROWS: usize = 100;

/// The section.
#[must_use]
pub fn section(profile: &Profile) -> Section {
    let body = if profile.ledger.by_cause.is_empty() {
        html! { p { "No entry was seen." } }
    } else {
        html! { (chart(profile)) (causes(profile)) }
    };
    Section::new("causes", "By cause", body)
}

/// Names of the phases, in their order in time.
fn phases(profile: &Profile) -> Vec<&str> {
    let phases = profile.window.phases.iter();
    phases.map(|phase| phase.name.as_str()).collect()
}

fn chart(profile: &Profile) -> Markup {
    let phases = phases(profile);
    let rows: Vec<Row> = profile
        .ledger
        .by_cause
        .iter()
        .take(BARS)
        .map(|row| Row {
            label: entry(&row.cause, &row.detail),
            bars: vec![Bar {
                parts: parts(row, &phases),
                text: format!(
                    "{} ({})",
                    count(row.count),
                    share(row.count, profile.ledger.total)
                ),
            }],
        })
        .collect();
    let words = Words {
        id: "causes-chart",
        title: "Entries by cause and phase",
        text: "A bar for each of the most frequent causes, divided by phase. The table below has the same numbers.",
    };
    bars::chart(words, &phases, &rows)
}

/// A row's entries by phase; what is in no phase that is known stands last.
fn parts(row: &CauseRow, phases: &[&str]) -> Vec<(usize, f64)> {
    let of = |phase: &&str| row.phases.get(*phase).copied().unwrap_or(0);
    let mut parts: Vec<(usize, u64)> = phases.iter().map(of).enumerate().collect();
    let known: u64 = parts.iter().map(|&(_, n)| n).sum();
    parts.push((phases.len(), row.count.saturating_sub(known)));
    parts
        .into_iter()
        .map(|(n, amount)| (n, as_float(amount)))
        .collect()
}

fn causes(profile: &Profile) -> Markup {
    let ledger = &profile.ledger;
    let phases = phases(profile);
    let is_timed = ledger.by_cause.iter().any(|row| row.time_ns.is_some());
    let mut columns: Vec<Column<'_>> = vec![
        ("cause", Kind::Text),
        ("detail", Kind::Code),
        ("count", Kind::Number),
        ("share", Kind::Number),
        ("per second", Kind::Number),
    ];
    columns.extend(phases.iter().map(|phase| (*phase, Kind::Number)));
    if is_timed {
        let times = ["time in kernel", "p50", "p99", "max"];
        columns.extend(times.map(|name| (name, Kind::Number)));
    }
    let rows = ledger.by_cause.iter().take(ROWS).map(|row| {
        let mut cells = vec![
            row.cause.to_string(),
            row.detail.clone(),
            count(row.count),
            share(row.count, ledger.total),
            rate(row.per_second),
        ];
        let of = |phase: &&str| count(row.phases.get(*phase).copied().unwrap_or(0));
        cells.extend(phases.iter().map(of));
        if is_timed {
            let times = row
                .time_ns
                .map(|t| [t.total, t.p50, t.p99, t.max].map(duration_ns));
            cells.extend(times.unwrap_or_else(|| ["-"; 4].map(str::to_owned)));
        }
        cells
    });
    html! {
        (table("Entries by cause, detail and phase", &columns, 2, rows))
        (more(ledger.by_cause.len(), ROWS, "causes", "ledger.by_cause"))
    }
}
