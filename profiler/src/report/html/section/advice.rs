//! What could be done.

use maud::html;

use crate::{
    profile::model::Advice,
    report::html::{
        page::Section,
        table::{facts, more},
        text::short,
    },
};

/// Pieces shown.
const PIECES: usize = 20;

/// The section, if there is any advice.
#[must_use]
pub fn section(advice: &[Advice]) -> Option<Section> {
    if advice.is_empty() {
        return None;
    }
    let body = html! {
        ol.advice {
            @for piece in advice.iter().take(PIECES) {
                li {
                    h3 { (short(&piece.finding)) }
                    (facts([
                        ("evidence", piece.evidence.clone()),
                        ("what to do", piece.fix.clone()),
                        ("would save", piece.expected_saving.clone()),
                    ]))
                }
            }
        }
        (more(advice.len(), PIECES, "pieces of advice", "advice"))
    };
    Some(Section::new("advice", "Advice", body))
}
