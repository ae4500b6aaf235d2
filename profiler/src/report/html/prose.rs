//! Words that several parts of the page use.

use maud::{Markup, html};

use super::text;

/// A cause and its detail as one name.
#[must_use]
pub fn entry(cause: &str, detail: &str) -> String {
    let cause = match cause {
        "syscall" => "system call",
        "page_fault" => "page fault",
        "nmi" => "NMI",
        "new_task" => "first return of a new task",
        other => other,
    };
    if detail.is_empty() || detail == cause {
        cause.to_owned()
    } else if detail == "(all)" {
        format!("{cause}s, all")
    } else {
        format!("{cause}: {detail}")
    }
}

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
