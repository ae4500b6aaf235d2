//! What all charts have: a name, a description, a legend.

use maud::{Markup, html};

use crate::report::{html::palette, view::chart::Words};

/// A picture with its name and description.
#[must_use]
pub fn picture(words: &Words, height: u32, body: &Markup) -> Markup {
    let (title, text) = (format!("{}-t", words.id), format!("{}-d", words.id));
    html! {
        svg.chart id=(words.id) role="img" aria-labelledby=(format!("{title} {text}"))
            width="100%" height=(height) {
            title id=(title) { (words.title) }
            desc id=(text) { (words.text) }
            (body)
        }
    }
}

/// A chart with its caption above it and its legend below.
#[must_use]
pub fn figure(words: &Words, legend: &Markup, height: u32, body: &Markup) -> Markup {
    html! {
        figure {
            figcaption { (words.title) }
            (legend)
            (picture(words, height, body))
        }
    }
}

/// Filled patches and what they stand for.
#[must_use]
pub fn patches<'a>(names: impl IntoIterator<Item = &'a str>) -> Markup {
    html! {
        ul.legend {
            @for (n, name) in names.into_iter().enumerate() {
                li {
                    svg width="14" height="14" aria-hidden="true" {
                        rect.(palette::series(n)) x="1" y="1" width="12" height="12" {}
                    }
                    (name)
                }
            }
        }
    }
}

/// Lines with their marks and what they stand for.
#[must_use]
pub fn lines<'a>(names: impl IntoIterator<Item = &'a str>) -> Markup {
    html! {
        ul.legend {
            @for (n, name) in names.into_iter().enumerate() {
                li {
                    svg width="34" height="14" aria-hidden="true" {
                        line.line.(palette::series(n)) x1="0" y1="7" x2="34" y2="7" {}
                        (mark(n, "17", 7.0))
                    }
                    (name)
                }
            }
        }
    }
}

/// The mark of the n-th series: its shape tells it apart without colour. `x` may
/// be in per cent.
#[must_use]
pub fn mark(n: usize, x: &str, y: f64) -> Markup {
    let class = palette::series(n);
    html! {
        @match n % 3 {
            0 => { circle.mark.(class) cx=(x) cy=(format!("{y:.1}")) r="4.5" {} }
            1 => {
                svg.free x=(x) y=(format!("{y:.1}")) width="1" height="1" {
                    rect.mark.(class) x="-4" y="-4" width="8" height="8" {}
                }
            }
            _ => {
                svg.free x=(x) y=(format!("{y:.1}")) width="1" height="1" {
                    path.mark.(class) d="M0 -5.5 L5.5 4.5 L-5.5 4.5 Z" {}
                }
            }
        }
    }
}
