//! The flame graph.

use maud::html;

use crate::{
    profile::model::Profile,
    report::{
        html::{
            chart::flame::Flame,
            page::Section,
            tree::{self, Basis},
        },
        units::count,
    },
};

/// The section, if there are entries.
#[must_use]
pub fn section(profile: &Profile) -> Option<Section> {
    let basis = tree::basis(profile);
    let tree = tree::of(profile);
    if tree.children.is_empty() {
        return None;
    }
    let flame = Flame::of(&tree);
    let (all, shown) = flame.lengths();
    let words = match basis {
        Basis::Stacks => {
            "Process, cause, detail, then the user code from the outermost caller to the instruction that entered the kernel. Below an interrupt is the code that it hit. Frames are entries, not time."
        }
        Basis::SampledStacks => {
            "Sampled call chains only: widths are shares of the sample and not of all entries. Process, cause, detail, then the user code from the outermost caller inwards; below an interrupt, the code that it hit."
        }
        Basis::Instructions => {
            "Process, cause, detail, then the function and the line that entered the kernel. No user stacks were taken, so that callers are not known: measure with --stacks user. Interrupts have no code here. Frames are entries, not time."
        }
    };
    let body = html! {
        p { (words) }
        p { a.skip-inline href="#h-code" { "Past the flame graph" } }
        figure {
            figcaption { "Flame graph: each frame leads to its place in the text below" }
            (flame.picture("Flame graph of entries", words))
        }
        h3 { "The flame graph as text" }
        (flame.text())
        p.print { "Branches that were closed are not printed. All numbers are in the document." }
        @if shown < all {
            p.more {
                (count(shown as u64)) " of " (count(all as u64))
                " frames are shown: those with the most entries. All are in the document: "
                code { "modeswitch report FILE --format json" } ", "
                code { "ledger.by_code" } " and " code { "ledger.user_stacks" } "."
            }
        }
    };
    Some(Section::new("flame", "Flame graph", body))
}
