//! Every run's value of one number, a dot each, and their medians.

use maud::{Markup, html};

use super::{
    frame::{figure, mark},
    scale::{part, percent},
};
use crate::report::{
    html::{palette, text::label},
    view::chart::{Runs, Words},
};

/// Heights, in pixels.
const LABEL: u32 = 18;
const STRIP: u32 = 24;
const GAP: u32 = 8;
/// The part of the width in use.
const WIDTH: f64 = 0.96;
/// Dots drawn of one variant.
const DOTS: usize = 200;

/// The chart. Its axis begins at 0;
#[must_use]
pub fn chart(words: &Words, runs: &Runs) -> Markup {
    let Runs {
        rows,
        end,
        end_words,
    } = runs;
    let end = *end;
    let x = |value: f64| 0.01 + WIDTH * part(value, end);
    let height = u32::try_from(rows.len()).unwrap_or(0) * (LABEL + STRIP + GAP);
    let body = html! {
        line.grid x1=(percent(x(0.0))) x2=(percent(x(0.0))) y1="0" y2=(height) {}
        line.grid x1=(percent(x(end))) x2=(percent(x(end))) y1="0" y2=(height) {}
        text.tick x="0" y=(height + 15) { "0" }
        text.tick.end x="100%" y=(height + 15) { (end_words) }
        @for (n, row) in rows.iter().enumerate() {
            @let top = u32::try_from(n).unwrap_or(0) * (LABEL + STRIP + GAP);
            @let middle = f64::from(top + LABEL + STRIP / 2);
            text.label.halo x="0" y=(top + 13) { (label(&row.label)) }
            line.grid x1=(percent(x(0.0))) x2=(percent(x(end))) y1=(middle) y2=(middle) {}
            @for value in row.values.iter().take(DOTS) { g.faint { (mark(n, &percent(x(*value)), middle)) } }
            line.median.(palette::series(n)) x1=(percent(x(row.median))) x2=(percent(x(row.median)))
                y1=(top + LABEL) y2=(top + LABEL + STRIP) {}
        }
    };
    figure(words, &html! {}, height + 20, &body)
}
