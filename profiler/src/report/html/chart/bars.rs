//! Bars side by side or in a row, for amounts.

use maud::{Markup, html};

use super::{
    frame::{figure, patches},
    scale::{part, percent},
};
use crate::report::{
    html::{palette, text::label},
    view::chart::{Bar, Bars, Words},
};

/// Heights, in pixels.
const LABEL: u32 = 18;
const BAR: u32 = 16;
const GAP: u32 = 12;
/// The part of the width that the longest bar takes; its number stands behind.
const LONGEST: f64 = 0.58;

/// A chart of bars, all to the same scale.
#[must_use]
pub fn chart(words: &Words, bars: &Bars) -> Markup {
    let Bars { series, rows } = bars;
    let largest = rows
        .iter()
        .flat_map(|row| &row.bars)
        .map(sum)
        .fold(0.0, f64::max);
    let mut top = 0;
    let mut placed = Vec::new();
    for row in rows {
        placed.push((top, row));
        let bars = u32::try_from(row.bars.len()).unwrap_or(0);
        top += LABEL + bars * (BAR + 2) + GAP;
    }
    let legend = html! { @if series.len() > 1 { (patches(series.iter().map(String::as_str))) } };
    let body = html! {
        @for (top, row) in placed {
            text.label x="0" y=(top + 13) { (label(&row.label)) }
            @for (n, bar) in (0..).zip(&row.bars) {
                (one(bar, top + LABEL + n * (BAR + 2), largest))
            }
        }
    };
    figure(words, &legend, top.max(1), &body)
}

fn sum(bar: &Bar) -> f64 {
    bar.parts.iter().map(|&(_, amount)| amount).sum()
}

fn one(bar: &Bar, y: u32, largest: f64) -> Markup {
    let mut from = 0.0;
    let mut pieces = Vec::new();
    for &(series, amount) in bar.parts.iter().filter(|&&(_, amount)| amount > 0.0) {
        pieces.push((series, from, part(amount, largest) * LONGEST));
        from += part(amount, largest) * LONGEST;
    }
    html! {
        line.axis x1="0" x2="0" y1=(y) y2=(y + BAR) {}
        @for (series, from, length) in pieces {
            rect.bar.(palette::series(series)) x=(percent(from)) y=(y) width=(percent(length)) height=(BAR) {}
        }
        svg.free x=(percent(from)) y=(y) width="1" height="1" {
            text.value x="6" y="12.5" { (bar.text) }
        }
    }
}
