//! Tables, each with a caption and in a box of its own that scrolls.

use maud::{Markup, html};

use super::{prose::sentence, text::short};
use crate::report::{
    units::count,
    view::{Fact, Kind, List, Table},
};

const fn class(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "t",
        Kind::Name | Kind::Path => "c",
        Kind::Id | Kind::Number => "n",
    }
}

/// A table with its first rows.
#[must_use]
pub fn table(table: &Table, most: usize) -> Markup {
    html! {
        div.scroll role="group" aria-label=(table.caption) tabindex="0" {
            table {
                caption { span { (table.caption) } }
                thead { tr {
                    @for column in &table.columns { th.(class(column.kind)) scope="col" { (short(&column.heading)) } }
                } }
                tbody {
                    @for row in table.rows.iter().take(most) { tr {
                        @for (at, (cell, column)) in row.iter().zip(&table.columns).enumerate() {
                            @if at < table.heads {
                                th.(class(column.kind)) scope="row" { (short(&cell.text)) }
                            } @else {
                                td.(class(column.kind)) { (short(&cell.text)) }
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
pub fn more(list: List, length: usize, shown: usize) -> Markup {
    html! {
        @if length > shown {
            p.more {
                "The first " (count(shown as u64)) " of " (count(length as u64)) " " (list.what) ". The other "
                (count((length - shown) as u64)) " are in the document: "
                code { "modeswitch report FILE --format json" } ", " code { (list.field) } "."
            }
        }
    }
}

/// Names beside what is to be said of them.
#[must_use]
pub fn facts(facts: &[Fact]) -> Markup {
    // What goes on with the fact before it stands below that.
    let joined = facts.chunk_by(|_, next| next.name.is_empty());
    html! {
        dl.facts {
            @for facts in joined { div {
                dt { @if let Some(first) = facts.first() { (short(&first.name)) } }
                dd {
                    @for (at, fact) in facts.iter().enumerate() {
                        @if at != 0 { br; }
                        (sentence(&fact.text))
                    }
                }
            } }
        }
    }
}
