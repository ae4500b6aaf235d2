//! Entries over time, by cause.

use std::cmp::Reverse;

use maud::{Markup, html};

use super::{
    frame::{Words, figure, patches},
    scale::{part, percent, round_up},
};
use crate::{
    profile::ledger::as_float,
    report::{
        html::{
            palette::{self, COLOURS},
            table::{Kind, more, table},
        },
        units::{amount, count, duration_ns},
    },
};

/// Columns drawn at most. More intervals are added up.
const COLUMNS: u64 = 180;
/// The plot, in pixels.
const TOP: f64 = 16.0;
const HEIGHT: f64 = 200.0;
/// Rows of the table.
const ROWS: usize = 40;

/// Entries in equal intervals of time.
#[derive(Clone, Debug, Default)]
pub struct Input<'a> {
    /// The length of each interval.
    pub interval_ns: u64,
    /// When each began, in order. There may be gaps.
    pub starts_ns: &'a [u64],
    /// Entries by cause.
    pub rows: Vec<Row<'a>>,
}

/// One cause.
#[derive(Clone, Copy, Debug, Default)]
pub struct Row<'a> {
    /// As in the profile.
    pub cause: &'a str,
    /// As in the profile.
    pub detail: &'a str,
    /// Entries in each interval.
    pub counts: &'a [u64],
}

impl Row<'_> {
    fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    fn name(&self) -> String {
        crate::report::html::prose::entry(self.cause, self.detail)
    }
}

/// Intervals added up to what can be drawn.
struct Columns {
    /// The length of one.
    ns: u64,
    /// How many.
    length: usize,
    first_ns: u64,
}

impl Columns {
    fn of(input: &Input<'_>) -> Option<Self> {
        let (&first_ns, &last_ns) = (input.starts_ns.first()?, input.starts_ns.last()?);
        let interval = input.interval_ns.max(1);
        let intervals = last_ns.saturating_sub(first_ns) / interval + 1;
        let ns = interval.saturating_mul(intervals.div_ceil(COLUMNS));
        let length = usize::try_from(last_ns.saturating_sub(first_ns) / ns + 1).ok()?;
        Some(Self {
            ns,
            length,
            first_ns,
        })
    }

    /// Entries of some rows in each column.
    fn sums<'a>(&self, starts: &[u64], rows: impl IntoIterator<Item = &'a Row<'a>>) -> Vec<u64> {
        let mut sums = vec![0_u64; self.length];
        for row in rows {
            for (start, n) in starts.iter().zip(row.counts) {
                let place = start.saturating_sub(self.first_ns) / self.ns;
                let sum = usize::try_from(place).ok().and_then(|at| sums.get_mut(at));
                if let Some(sum) = sum {
                    *sum = sum.saturating_add(*n);
                }
            }
        }
        sums
    }
}

/// The chart and its numbers, or nothing if there is no time in it.
#[must_use]
pub fn chart(words: Words<'_>, input: &Input<'_>) -> Option<Markup> {
    let columns = Columns::of(input)?;
    let mut rows: Vec<&Row<'_>> = input.rows.iter().collect();
    rows.sort_by_key(|row| Reverse(row.total()));
    let own = if rows.len() > COLOURS {
        COLOURS - 1
    } else {
        rows.len()
    };
    let (own, others) = rows.split_at(own);
    let mut layers: Vec<(String, Vec<u64>)> = own
        .iter()
        .map(|row| (row.name(), columns.sums(input.starts_ns, [*row])))
        .collect();
    if !others.is_empty() {
        let name = format!("{} rarer ones", count(others.len() as u64));
        layers.push((name, columns.sums(input.starts_ns, others.iter().copied())));
    }
    let drawing = drawing(&columns, &layers);
    let legend = patches(layers.iter().map(|(name, _)| name.as_str()));
    let caption = format!(
        "Entries over time, of intervals of {}",
        duration_ns(input.interval_ns)
    );
    Some(html! {
        (figure(words, &legend, 240, &drawing))
        (table(
            &caption,
            &[("cause", Kind::Text), ("entries", Kind::Number), ("most in one interval", Kind::Number), ("that began at", Kind::Number)],
            1,
            rows.iter().take(ROWS).map(|row| {
                let busiest = row.counts.iter().enumerate().max_by_key(|&(at, n)| (*n, Reverse(at)));
                let began = busiest.and_then(|(at, _)| input.starts_ns.get(at));
                vec![
                    row.name(),
                    count(row.total()),
                    busiest.map_or_else(|| "-".to_owned(), |(_, n)| count(*n)),
                    began.map_or_else(|| "-".to_owned(), |ns| duration_ns(*ns)),
                ]
            }),
        ))
        (more(rows.len(), ROWS, "causes", "timeline.rows"))
    })
}

fn drawing(columns: &Columns, layers: &[(String, Vec<u64>)]) -> Markup {
    let total = |at: usize| {
        layers
            .iter()
            .filter_map(|(_, sums)| sums.get(at))
            .sum::<u64>()
    };
    let largest = (0..columns.length).map(total).max().unwrap_or(0);
    let top = round_up(as_float(largest));
    let width = 1.0 / as_float(columns.length.max(1) as u64);
    let y = |value: f64| TOP + HEIGHT * (1.0 - part(value, top));
    let span = columns.ns.saturating_mul(columns.length as u64);
    html! {
        @for tick in [0.0, top / 2.0, top] {
            line.grid x1="0" x2="100%" y1=(format!("{:.1}", y(tick))) y2=(format!("{:.1}", y(tick))) {}
        }
        @for at in 0..columns.length {
            @let x = as_float(at as u64) * width;
            (column(layers, at, (x, width), y))
        }
        @for tick in [top / 2.0, top] {
            text.tick.halo x="0" y=(format!("{:.1}", y(tick) - 3.0)) {
                (amount(tick)) @if tick.total_cmp(&top).is_eq() { " per " (duration_ns(columns.ns)) }
            }
        }
        text.tick x="0" y="234" { (duration_ns(columns.first_ns)) }
        text.tick.mid x="50%" y="234" { (duration_ns(columns.first_ns + span / 2)) }
        text.tick.end x="100%" y="234" { (duration_ns(columns.first_ns.saturating_add(span))) }
    }
}

fn column(
    layers: &[(String, Vec<u64>)],
    at: usize,
    (x, width): (f64, f64),
    y: impl Fn(f64) -> f64,
) -> Markup {
    let mut below = 0.0;
    let mut pieces = Vec::new();
    for (n, (_, sums)) in layers.iter().enumerate() {
        let entries = sums.get(at).copied().unwrap_or(0);
        if entries != 0 {
            let above = below + as_float(entries);
            pieces.push((n, y(above), y(below) - y(above)));
            below = above;
        }
    }
    html! {
        @for (n, top, height) in pieces {
            rect.column.(palette::series(n)) x=(percent(x)) width=(percent(width))
                y=(format!("{top:.2}")) height=(format!("{height:.2}")) {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However many intervals are added up to a column, no entry is lost, and a
    /// gap in time stays one.
    #[test]
    fn columns_keep_every_entry() {
        let starts: Vec<u64> = (0..5_000).chain(9_000..9_100).map(|n| n * 10).collect();
        let counts: Vec<u64> = (0..starts.len() as u64).map(|n| n % 7).collect();
        let row = Row {
            counts: &counts,
            ..Row::default()
        };
        let input = Input {
            interval_ns: 10,
            starts_ns: &starts,
            rows: vec![row],
        };
        let columns = Columns::of(&input).expect("time");
        assert!(columns.length as u64 <= COLUMNS, "{}", columns.length);
        let sums = columns.sums(&starts, &input.rows);
        assert_eq!(sums.iter().sum::<u64>(), counts.iter().sum::<u64>());
        assert_eq!(sums[columns.length * 7 / 9], 0, "the gap");
    }

    /// Nothing to draw is no chart.
    #[test]
    fn no_time_no_chart() {
        let words = Words {
            id: "x",
            title: "x",
            text: "x",
        };
        assert!(chart(words, &Input::default()).is_none());
    }
}
