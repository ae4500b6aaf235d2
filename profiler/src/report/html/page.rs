//! The page around the sections.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::text::{short, visible};

/// The style sheet. It names no other file: nothing is fetched.
pub const STYLE: &str = include_str!("style.css");
/// SHA-256 of [`STYLE`], in base64: the only style that the page may have. A
/// test computes it anew.
pub const STYLE_HASH: &str = "JS1JH/2+6WU/uFe9kFqqpOL4LgVLpqwN9X/kdt3Z3I0=";

/// One part of the page.
#[derive(Debug)]
pub struct Section {
    /// Its anchor.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// What is in it.
    pub body: Markup,
}

impl Section {
    /// A part of the page.
    #[must_use]
    pub fn new(id: impl Into<String>, title: impl Into<String>, body: Markup) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            body,
        }
    }
}

/// A whole page.
#[derive(Debug)]
pub struct Page {
    /// What it is about: a command, or a question.
    pub title: String,
    /// What kind of document it is.
    pub kind: &'static str,
    /// The verdict, and what limits it.
    pub head: Markup,
    /// Its parts, in order.
    pub sections: Vec<Section>,
    /// Who made it, and when.
    pub foot: Markup,
}

impl Page {
    /// The page as a file. What the templates have written is made harmless
    /// here once more, in one place: see [`visible`].
    #[must_use]
    pub fn render(&self) -> String {
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{STYLE_HASH}'; base-uri 'none'; form-action 'none'"
        );
        let title = html! { (short(&self.title)) " · " (self.kind) " · modeswitch" };
        let head = html! {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(policy);
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            meta name="referrer" content="no-referrer";
            title { (safe(title)) }
            style { (PreEscaped(STYLE)) }
        };
        let contents = html! {
            @for section in &self.sections { li { a href={ "#" (section.id) } { (section.title) } } }
        };
        let banner = html! {
            p.kind { "modeswitch " (self.kind) }
            h1 { (short(&self.title)) }
            (self.head)
        };
        let page = html! {
            (DOCTYPE)
            html lang="en" dir="ltr" {
                head { (head) }
                body {
                    "\n" a.skip href="#main" { "Skip to the report" } "\n"
                    header { (safe(banner)) } "\n"
                    nav aria-label="Contents" { ul { (safe(contents)) } } "\n"
                    main #main tabindex="-1" {
                        @for section in &self.sections {
                            "\n" section aria-labelledby={ "h-" (section.id) } #(section.id) {
                                h2 id={ "h-" (section.id) } { (visible(&section.title)) }
                                (safe(html! { (section.body) }))
                            }
                        }
                    } "\n"
                    footer { (safe(html! { (self.foot) })) }
                }
            }
        };
        page.into_string() + "\n"
    }
}

fn safe(markup: Markup) -> Markup {
    PreEscaped(visible(&markup.into_string()))
}
