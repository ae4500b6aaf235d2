//! Words that several parts of the page use.

use maud::{Markup, html};

use super::text;

/// Something that the reader must not miss.
#[must_use]
pub fn alarm(text: &str) -> Markup {
    html! { p.alarm { strong { "Note: " } (text::sentence(text)) } }
}

/// A sentence in which names stand between backticks.
#[must_use]
pub fn sentence(text: &str) -> Markup {
    html! {
        @for (n, part) in text::sentence(text).split('`').enumerate() {
            @if n % 2 == 0 { (part) } @else { code { (part) } }
        }
    }
}
