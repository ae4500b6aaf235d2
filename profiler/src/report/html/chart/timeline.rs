//! Entries over time, by cause.

use std::ops::Range;

use maud::{Markup, html};

use super::{
    frame::{figure, patches},
    scale::{part, percent},
};
use crate::{
    profile::ledger::as_float,
    report::{
        html::palette::{self, COLOURS},
        units::{count, duration_ns, rate, round_up},
        view::chart::{Timeline, Words},
    },
};

/// Columns drawn at most. More slots are joined.
const COLUMNS: usize = 180;
/// The plot, in pixels.
const TOP: f64 = 16.0;
const HEIGHT: f64 = 200.0;

/// One cause: its name, and its entries in each slot.
type Row = (String, Vec<u64>);

/// Neighbouring slots, drawn as one.
struct Column {
    slots: Range<usize>,
    from_ns: u64,
    to_ns: u64,
}

impl Column {
    fn entries(&self, (_, counts): &Row) -> u64 {
        counts
            .get(self.slots.clone())
            .map_or(0, |slots| slots.iter().sum())
    }

    fn per_second(&self, entries: u64) -> f64 {
        per_second(entries, self.to_ns.saturating_sub(self.from_ns))
    }
}

fn per_second(entries: u64, ns: u64) -> f64 {
    as_float(entries) * 1e9 / as_float(ns.max(1))
}

fn columns(input: &Timeline) -> Vec<Column> {
    let times: Vec<(u64, u64)> = input
        .starts_ns
        .iter()
        .copied()
        .zip(input.ends_ns.iter().copied())
        .collect();
    let slots = times.len().div_ceil(COLUMNS).max(1);
    let joined = (0_usize..).step_by(slots).zip(times.chunks(slots));
    joined
        .filter_map(|(at, times)| {
            Some(Column {
                slots: at..at + times.len(),
                from_ns: times.first()?.0,
                to_ns: times.last()?.1,
            })
        })
        .collect()
}

/// The colours' rows, most entries first, and all the others as one.
fn layers(rows: &[Row], columns: &[Column]) -> Vec<(String, Vec<u64>)> {
    let own = if rows.len() > COLOURS {
        COLOURS - 1
    } else {
        rows.len()
    };
    let (own, others) = rows.split_at(own);
    let sums = |rows: &[Row]| -> Vec<u64> {
        let of = |column: &Column| rows.iter().map(|row| column.entries(row)).sum();
        columns.iter().map(of).collect()
    };
    let mut layers: Vec<(String, Vec<u64>)> = own
        .iter()
        .map(|row| (row.0.clone(), sums(std::slice::from_ref(row))))
        .collect();
    if !others.is_empty() {
        let name = format!("{} rarer ones", count(others.len() as u64));
        layers.push((name, sums(others)));
    }
    layers
}

/// The chart, or nothing if there is no time in it.
#[must_use]
pub fn chart(words: &Words, input: &Timeline) -> Option<Markup> {
    let columns = columns(input);
    let end_ns = columns.last()?.to_ns;
    let layers = layers(&input.rows, &columns);
    let legend = patches(layers.iter().map(|(name, _)| name.as_str()));
    Some(figure(
        words,
        &legend,
        240,
        &drawing(&columns, &layers, end_ns),
    ))
}

/// Heights are rates: slots differ in length.
fn drawing(columns: &[Column], layers: &[(String, Vec<u64>)], end_ns: u64) -> Markup {
    let total = |(at, column): (usize, &Column)| {
        let entries = layers.iter().filter_map(|(_, sums)| sums.get(at)).sum();
        column.per_second(entries)
    };
    let highest = columns.iter().enumerate().map(total).fold(0.0, f64::max);
    let top = round_up(highest);
    let y = |rate: f64| TOP + HEIGHT * (1.0 - part(rate, top));
    let x = |ns: u64| part(as_float(ns), as_float(end_ns));
    html! {
        @for tick in [0.0, top / 2.0, top] {
            line.grid x1="0" x2="100%" y1=(format!("{:.1}", y(tick))) y2=(format!("{:.1}", y(tick))) {}
        }
        @for (at, column) in columns.iter().enumerate() {
            @let (from, to) = (x(column.from_ns), x(column.to_ns));
            @for (n, low, high) in stack(column, layers, at) {
                rect.column.(palette::series(n)) x=(percent(from)) width=(percent(to - from))
                    y=(format!("{:.2}", y(high))) height=(format!("{:.2}", y(low) - y(high))) {}
            }
        }
        @for tick in [top / 2.0, top] {
            text.tick.halo x="0" y=(format!("{:.1}", y(tick) - 3.0)) { (rate(tick)) "/s" }
        }
        text.tick x="0" y="234" { "0 s" }
        text.tick.mid x="50%" y="234" { (duration_ns(end_ns / 2)) }
        text.tick.end x="100%" y="234" { (duration_ns(end_ns)) }
    }
}

/// The layers of a column: which, and from which rate to which.
fn stack(column: &Column, layers: &[(String, Vec<u64>)], at: usize) -> Vec<(usize, f64, f64)> {
    let mut low = 0.0;
    let mut pieces = Vec::new();
    for (n, (_, sums)) in layers.iter().enumerate() {
        let high = low + column.per_second(sums.get(at).copied().unwrap_or(0));
        if high > low {
            pieces.push((n, low, high));
        }
        low = high;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However many slots are joined to a column, no entry is lost, and the
    /// columns cover the time without overlapping.
    #[test]
    fn columns_keep_every_entry() {
        let starts: Vec<u64> = (0..5_000).map(|n| n * 10 + n % 3).collect();
        let ends: Vec<u64> = starts.iter().skip(1).copied().chain([50_000]).collect();
        let counts: Vec<u64> = (0..5_000).map(|n| n % 7).collect();
        let sum: u64 = counts.iter().sum();
        let row = ("x".to_owned(), counts);
        let input = Timeline {
            starts_ns: starts,
            ends_ns: ends,
            rows: vec![row.clone()],
        };
        let columns = columns(&input);
        assert!(columns.len() <= COLUMNS, "{}", columns.len());
        let entries: u64 = columns.iter().map(|column| column.entries(&row)).sum();
        assert_eq!(entries, sum);
        assert!(columns.windows(2).all(|two| two[0].to_ns == two[1].from_ns));
    }

    /// A slot twice as long with twice the entries is as high.
    #[test]
    fn heights_are_rates() {
        assert!((per_second(100, 1_000_000) - per_second(200, 2_000_000)).abs() < 1e-9);
    }

    /// Nothing to draw is no chart.
    #[test]
    fn no_time_no_chart() {
        assert!(chart(&Words::default(), &Timeline::default()).is_none());
    }
}
