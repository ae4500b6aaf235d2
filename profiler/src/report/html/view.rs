//! Any view as a page.

use std::io::{self, Write};

use maud::{Markup, html};

use super::{
    chart::{bars, curves, flame::Flame, ratios, runs, timeline},
    page::{self, Page},
    prose::{alarm, sentence},
    table::{facts, more, table},
    text::{self, short},
};
use crate::report::{
    units::count,
    view::{Block, Points, Prose, Section, Stacks, Tone, View, chart::Chart, tree::Tree},
};

/// Rows of a list.
const ROWS: usize = 100;
/// Findings and stacks shown, and frames of each stack.
const LONG: usize = 20;
const FRAMES: usize = 64;

/// Writes the page.
///
/// # Errors
/// Whatever the output reports.
pub fn write(view: &View, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(page(view).render().as_bytes())
}

fn page(view: &View) -> Page {
    Page {
        title: if view.title.is_empty() {
            view.verdict.clone()
        } else {
            view.title.clone()
        },
        kind: view.kind,
        head: head(view),
        sections: view
            .sections
            .iter()
            .enumerate()
            .map(|(at, found)| {
                let next = view.sections.get(at + 1).map(|next| next.id.as_str());
                page::Section::new(&found.id, found.title.clone(), section(found, next))
            })
            .collect(),
        foot: html! {
            p {
                "Made by modeswitch from a document of schema " (view.schema_version)
                ". It needs no network and runs no script. Numbers are those of the document; what is left out says where it is."
            }
        },
    }
}

fn head(view: &View) -> Markup {
    html! {
        @if !view.title.is_empty() { p.verdict { (sentence(&view.verdict)) } }
        @for remark in &view.remarks { p { (sentence(remark)) } }
        @for reason in view.alarms.iter().take(LONG) { (alarm(reason)) }
        @if !view.tiles.is_empty() {
            dl.tiles { @for (name, value) in &view.tiles { div { dt { (name) } dd { (value) } } } }
        }
    }
}

fn section(section: &Section, next: Option<&str>) -> Markup {
    html! { @for block in &section.blocks { (self::block(block, next)) } }
}

fn block(block: &Block, next: Option<&str>) -> Markup {
    match block {
        Block::Facts(list) => facts(list),
        Block::Table(found) => html! {
            (table(found, ROWS))
            (more(found.list, found.rows.len(), ROWS))
        },
        Block::Prose(Prose { tone, text, .. }) => match tone {
            Tone::Plain => html! { p { (sentence(text)) } },
            Tone::Good => html! { p.good { (sentence(text)) } },
            Tone::Alarm => alarm(text),
            Tone::Faint => html! { p.note { (sentence(text)) } },
        },
        Block::Points(list) => points(list),
        Block::Stacks(list) => stacks(list),
        Block::Command(command) => html! { pre { code { (text::sentence(command)) } } },
        Block::Chart(found) => chart(found),
        Block::Tree(found) => tree(found, next),
    }
}

fn points(list: &Points) -> Markup {
    html! {
        ol.advice {
            @for (finding, list) in list.points.iter().take(LONG) {
                li { h3 { (short(finding)) } (facts(list)) }
            }
        }
        (more(list.list, list.points.len(), LONG))
    }
}

fn stacks(list: &Stacks) -> Markup {
    html! {
        @for stack in list.stacks.iter().take(LONG) {
            details {
                summary { (short(&stack.title)) }
                ol.frames {
                    @for frame in stack.frames.iter().take(FRAMES) { li { code { (short(frame)) } } }
                }
                @if let Some(remark) = &stack.remark { p.note { (sentence(remark)) } }
            }
        }
        (more(list.list, list.stacks.len(), LONG))
    }
}

fn chart(chart: &Chart) -> Markup {
    match chart {
        Chart::Bars(words, bars) => bars::chart(words, bars),
        Chart::Timeline(words, timeline) => {
            timeline::chart(words, timeline).unwrap_or_else(|| html! {})
        }
        Chart::Curves(words, curves) => curves::chart(words, curves).unwrap_or_else(|| html! {}),
        Chart::Ratios(id, ratios) => ratios::chart(id, ratios),
        Chart::Runs(words, runs) => runs::chart(words, runs),
    }
}

fn tree(tree: &Tree, next: Option<&str>) -> Markup {
    let flame = Flame::of(&tree.root);
    let (all, shown) = flame.lengths();
    html! {
        p { (sentence(&tree.text)) }
        @if let Some(next) = next { p { a.skip-inline href={ "#h-" (next) } { "Past the flame graph" } } }
        figure {
            figcaption { "Flame graph: each frame leads to its place in the text below" }
            (flame.picture("Flame graph of entries", &tree.text))
        }
        h3 { "The flame graph as text" }
        (flame.text())
        p.print { "Branches that were closed are not printed. All numbers are in the document." }
        @if shown < all {
            p.more {
                (count(shown as u64)) " of " (count(all as u64))
                " frames are shown: those with the most entries. All are in the document: "
                code { "modeswitch report FILE --format json" }
                @for field in tree.fields { ", " code { (field) } } "."
            }
        }
    }
}
