//! Ratios with their intervals, on a logarithmic axis around 1.

use maud::{Markup, html};

use super::{frame::figure, scale::percent};
use crate::report::{
    html::text::label,
    view::chart::{Ratio, Words},
};

/// Heights, in pixels.
const LINE: u32 = 16;
const LABEL: u32 = 18 + LINE;
const STRIP: u32 = 18;
const GAP: u32 = 8;
const AXIS: u32 = 22;
/// The axis reaches at least to twice and half, and at most to this many
/// decades; what is beyond is drawn at its end, with an arrow.
const LEAST: f64 = 0.301;
const MOST: f64 = 2.0;

/// The chart. `id` is its anchor.
#[must_use]
pub fn chart(id: &str, rows: &[Ratio]) -> Markup {
    let title = if rows.iter().any(|row| row.is_judged) {
        "Ratio to the first variant, with its 95 % interval; a filled dot differs by the statistics"
    } else {
        "Ratio to the first variant, with its 95 % interval; none of these was judged"
    };
    let words = Words::new(
        id,
        title,
        "A dot for each ratio on a logarithmic axis, 1 in the middle, with a line over its interval. The table below has the same numbers.",
    );
    let ends = rows.iter().flat_map(|row| {
        let interval = row.interval.map(|found| [found.low, found.high]);
        interval.into_iter().flatten().chain([row.ratio])
    });
    let reach = ends
        .filter(|end| *end > 0.0 && end.is_finite())
        .map(|end| end.log10().abs())
        .fold(LEAST, f64::max)
        .min(MOST);
    let bottom = rows.len() as u64 * u64::from(LABEL + STRIP + GAP);
    let bottom = u32::try_from(bottom).unwrap_or(u32::MAX / 2);
    let x = |ratio: f64| place(ratio, reach);
    let body = html! {
        @for tick in ticks(reach) {
            line.grid.one[tick.eq(&1.0)] x1=(percent(x(tick))) x2=(percent(x(tick))) y1="0" y2=(bottom) {}
            text.tick.mid x=(percent(x(tick))) y=(bottom + 15) { "×" (tick) }
        }
        @for (n, row) in (0..).zip(rows) {
            (one(row, n * (LABEL + STRIP + GAP), reach))
        }
    };
    figure(&words, &html! {}, bottom + AXIS, &body)
}

fn one(row: &Ratio, top: u32, reach: f64) -> Markup {
    let middle = top + LABEL + STRIP / 2;
    let x = place(row.ratio, reach);
    let class = if row.differs { "found" } else { "open" };
    html! {
        text.label.halo x="0" y=(top + 13) { (label(&row.label)) }
        text.note.halo x="0" y=(top + 13 + LINE) { (row.text) }
        @if let Some(found) = row.interval {
            line.whisker x1=(percent(place(found.low, reach))) x2=(percent(place(found.high, reach))) y1=(middle) y2=(middle) {}
            @for end in [found.low, found.high] {
                @if is_beyond(end, reach) { (arrow(end, middle, reach)) }
            }
        }
        @if is_beyond(row.ratio, reach) { (arrow(row.ratio, middle, reach)) }
        circle.(class) cx=(percent(x)) cy=(middle) r="5" {}
    }
}

/// Points to where a value is that is not on the axis.
fn arrow(value: f64, y: u32, reach: f64) -> Markup {
    let shape = if value < 1.0 {
        "M-14 0 L-6 -5 L-6 5 Z"
    } else {
        "M14 0 L6 -5 L6 5 Z"
    };
    html! {
        svg.free x=(percent(place(value, reach))) y=(y) width="1" height="1" { path.found d=(shape) {} }
    }
}

fn is_beyond(ratio: f64, reach: f64) -> bool {
    ratio <= 0.0 || ratio.log10().abs() > reach
}

/// From 4 to 96 per cent of the width.
fn place(ratio: f64, reach: f64) -> f64 {
    let log = if ratio > 0.0 { ratio.log10() } else { -reach };
    0.5 + 0.46 * (log / reach).clamp(-1.0, 1.0)
}

fn ticks(reach: f64) -> Vec<f64> {
    let all = [0.01, 0.1, 0.5, 1.0, 2.0, 10.0, 100.0];
    let is_near = |tick: &f64| tick.log10().abs() <= reach + 1e-3;
    // The two next to the middle only where there is room for their letters.
    let is_apart =
        |tick: &f64| reach < 1.3 || !(0.4..0.6).contains(tick) && !(1.5..3.0).contains(tick);
    all.into_iter().filter(is_near).filter(is_apart).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No change is in the middle, half and twice are as far from it, and what
    /// vanished is at the left end.
    #[test]
    fn ratios_are_symmetrical() {
        assert!((place(1.0, 1.0) - 0.5).abs() < 1e-9);
        assert!((place(0.5, 1.0) + place(2.0, 1.0) - 1.0).abs() < 1e-9);
        assert!((place(0.0, 1.0) - 0.04).abs() < 1e-9);
        assert!(is_beyond(0.0, 1.0) && is_beyond(20.0, 1.0) && !is_beyond(2.0, 1.0));
    }
}
