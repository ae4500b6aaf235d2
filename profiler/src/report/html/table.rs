//! Tables, each with a caption and in a box of its own that scrolls.

use maud::{Markup, html};

use super::text::{sentence, short};
use crate::report::units::count;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Words.
    Text,
    /// Names from the program: set like code, and broken anywhere.
    Code,
    /// Numbers, to the right.
    Number,
}

impl Kind {
    const fn class(self) -> &'static str {
        match self {
            Self::Text => "t",
            Self::Code => "c",
            Self::Number => "n",
        }
    }
}

/// A column: its heading, and what it holds.
pub type Column<'a> = (&'a str, Kind);

/// Makes a table. The first `row_heads` columns name the row.
#[must_use]
pub fn table(
    caption: &str,
    columns: &[Column<'_>],
    row_heads: usize,
    rows: impl IntoIterator<Item = Vec<String>>,
) -> Markup {
    html! {
        div.scroll role="group" aria-label=(caption) tabindex="0" {
            table {
                caption { span { (caption) } }
                thead { tr {
                    @for (name, kind) in columns { th.(kind.class()) scope="col" { (name) } }
                } }
                tbody {
                    @for row in rows { tr {
                        @for (place, (cell, (_, kind))) in row.iter().zip(columns).enumerate() {
                            @if place < row_heads {
                                th.(kind.class()) scope="row" { (short(cell)) }
                            } @else {
                                td.(kind.class()) { (short(cell)) }
                            }
                        }
                    } }
                }
            }
        }
    }
}

/// Says how much of a long list is not shown, and where it is.
#[must_use]
pub fn more(length: usize, shown: usize, what: &str, field: &str) -> Markup {
    html! {
        @if length > shown {
            p.more {
                "The first " (count(shown as u64)) " of " (count(length as u64)) " " (what) ". The other "
                (count((length - shown) as u64)) " are in the document: "
                code { "modeswitch report FILE --format json" } ", " code { (field) } "."
            }
        }
    }
}

/// Names beside what is to be said of them.
#[must_use]
pub fn facts<'a>(rows: impl IntoIterator<Item = (&'a str, String)>) -> Markup {
    html! {
        dl.facts {
            @for (name, text) in rows { div { dt { (name) } dd { (sentence(&text)) } } }
        }
    }
}
