//! Latency by percentile, both axes logarithmic: the tail is as wide as the rest.

use std::fmt::Write;

use maud::{Markup, html};

use super::{
    frame::{figure, lines, mark},
    scale::{LogScale, percent},
};
use crate::report::{
    html::palette,
    units::duration_ns,
    view::chart::{Curve, Curves, PERCENTILES, Words},
};

/// The percentiles, and how many nines each is from the left: -log10(1 - p).
/// The longest has no percentile and stands behind the last.
const POINTS: [(&str, f64); PERCENTILES] = [
    ("p50", 0.301),
    ("p90", 1.0),
    ("p99", 2.0),
    ("p99.9", 3.0),
    ("p99.99", 4.0),
    ("p99.999", 5.0),
    ("max", 5.9),
];
/// Where the first and the last point are, as parts of the width.
const LEFT: f64 = 0.15;
const RIGHT: f64 = 0.94;
/// The plot, in pixels.
const TOP: f64 = 14.0;
const HEIGHT: f64 = 280.0;
/// Runs of one variant that are drawn.
const RUNS: usize = 60;

/// The names of the percentiles.
pub fn names() -> impl Iterator<Item = &'static str> {
    POINTS.into_iter().map(|(name, _)| name)
}

/// The chart, or nothing if no latency is known.
#[must_use]
pub fn chart(words: &Words, series: &[Curves]) -> Option<Markup> {
    let all = series
        .iter()
        .flat_map(|series| series.runs.iter().chain([&series.median]))
        .flatten()
        .copied()
        .flatten();
    let scale = LogScale::around(all)?;
    let y = |ns: f64| TOP + HEIGHT * (1.0 - scale.place(ns));
    let legend = html! {
        @if series.len() > 1 { (lines(series.iter().map(|series| series.name.as_str()))) }
    };
    let body = html! {
        @for tick in scale.ticks() {
            line.grid x1="0" x2="100%" y1=(px(y(tick))) y2=(px(y(tick))) {}
            text.tick x="0" y=(px(y(tick) - 3.0)) { (tick_words(tick)) }
        }
        @for (place, (name, _)) in POINTS.iter().enumerate() {
            line.grid x1=(at(place)) x2=(at(place)) y1=(px(TOP)) y2=(px(TOP + HEIGHT)) {}
            text.tick.mid x=(at(place)) y=(px(TOP + HEIGHT + 16.0)) { (name) }
        }
        svg x="0" y=(px(TOP)) width="100%" height=(px(HEIGHT)) viewBox="0 0 1000 1000" preserveAspectRatio="none" {
            @for (n, series) in series.iter().enumerate() {
                @for run in series.runs.iter().take(RUNS) {
                    path.line.thin.(palette::series(n)) d=(path(run, &scale)) {}
                }
            }
            @for (n, series) in series.iter().enumerate() {
                path.line.(palette::series(n)) d=(path(&series.median, &scale)) {}
            }
        }
        @for (n, series) in series.iter().enumerate() {
            @for (place, ns) in series.median.iter().enumerate() {
                @if let Some(ns) = ns { (mark(n, &at(place), y(*ns))) }
            }
        }
    };
    Some(figure(words, &legend, 320, &body))
}

/// Where the n-th percentile is, as a part of the width.
fn place_of(n: usize) -> f64 {
    let (first, last) = (POINTS[0].1, POINTS[PERCENTILES - 1].1);
    let nines = POINTS.get(n).map_or(last, |&(_, nines)| nines);
    LEFT + (RIGHT - LEFT) * (nines - first) / (last - first)
}

fn at(n: usize) -> String {
    percent(place_of(n))
}

fn px(y: f64) -> String {
    format!("{y:.1}")
}

/// A line through neighbouring points. Where one is not known there is a gap:
/// nothing is made up.
fn path(curve: &Curve, scale: &LogScale) -> String {
    let mut path = String::new();
    let mut is_drawing = false;
    for (n, ns) in curve.iter().enumerate() {
        let Some(ns) = ns else {
            is_drawing = false;
            continue;
        };
        let command = if is_drawing { 'L' } else { 'M' };
        let (x, y) = (place_of(n) * 1000.0, (1.0 - scale.place(*ns)) * 1000.0);
        // Writing to a string does not fail.
        let _written = write!(path, "{command}{x:.1} {y:.1}");
        is_drawing = true;
    }
    path
}

fn tick_words(ns: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a power of ten of nanoseconds that somebody has measured"
    )]
    let whole = ns.round() as u64;
    duration_ns(whole).replace(".00 ", " ").replace(".0 ", " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A percentile that is not known interrupts the line.
    #[test]
    fn gaps_are_not_bridged() {
        let scale = LogScale::around([1.0, 1_000.0]).expect("values");
        let mut curve = [Some(10.0); PERCENTILES];
        assert_eq!(path(&curve, &scale).matches('M').count(), 1);
        curve[5] = None;
        assert_eq!(path(&curve, &scale).matches('M').count(), 2);
    }

    /// Percentiles go from left to right, the longest last.
    #[test]
    fn points_are_in_order() {
        let places: Vec<f64> = (0..PERCENTILES).map(place_of).collect();
        assert!(places.is_sorted(), "{places:?}");
    }
}
