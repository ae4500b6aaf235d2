//! A tree of entries as an icicle: wide is much, below is "made by". Each frame
//! is a link to its place in the same tree as text, which needs no pointer and
//! no script: following the link opens the branches above it.

use std::{cmp::Reverse, collections::BinaryHeap};

use maud::{Markup, html};

use super::scale::{part, percent};
use crate::{
    profile::ledger::as_float,
    report::{
        html::{palette, text::short},
        units::{count, share},
        view::tree::Node,
    },
};

/// Frames shown at most: those with the most entries.
const FRAMES: usize = 400;
/// A frame of fewer than one in so many entries would be too narrow to see.
const NARROWEST: u64 = 1_000;
/// Levels shown. Browsers do not nest much deeper than three times this.
const LEVELS: u32 = 64;
/// Height of a level, in pixels.
const LEVEL: u32 = 21;

/// A frame of the tree in a list.
struct Flat<'a> {
    name: &'a str,
    entries: u64,
    class: &'static str,
    level: u32,
    children: Vec<usize>,
    is_shown: bool,
    from: f64,
}

/// What is shown of a tree.
pub struct Flame<'a> {
    frames: Vec<Flat<'a>>,
}

impl<'a> Flame<'a> {
    /// Chooses what to show, and where.
    #[must_use]
    pub fn of(root: &'a Node) -> Self {
        let mut frames = Vec::new();
        flatten("all entries", root, 0, &mut frames);
        let least = (root.entries / NARROWEST).max(1);
        let mut heap = BinaryHeap::from([(root.entries, Reverse(0))]);
        let mut shown = 0;
        while let Some((entries, Reverse(at))) = heap.pop() {
            if shown == FRAMES || entries < least {
                break;
            }
            let Some(frame) = frames.get_mut(at) else {
                break;
            };
            frame.is_shown = true;
            shown += 1;
            let children = frame.children.clone();
            heap.extend(
                children
                    .into_iter()
                    .filter_map(|child| Some((frames.get(child)?.entries, Reverse(child)))),
            );
        }
        let mut flame = Self { frames };
        flame.place(0, 0.0);
        flame
    }

    fn place(&mut self, at: usize, from: f64) {
        let Some(frame) = self.frames.get_mut(at) else {
            return;
        };
        frame.from = from;
        let children = frame.children.clone();
        let mut from = from;
        for child in children {
            self.place(child, from);
            from += self.width(child);
        }
    }

    fn total(&self) -> u64 {
        self.frames.first().map_or(0, |root| root.entries)
    }

    fn width(&self, at: usize) -> f64 {
        let entries = self.frames.get(at).map_or(0, |frame| frame.entries);
        part(as_float(entries), as_float(self.total()))
    }

    /// How many frames there are, and how many of them are shown.
    #[must_use]
    pub fn lengths(&self) -> (usize, usize) {
        let shown = self.frames.iter().filter(|frame| frame.is_shown).count();
        (self.frames.len(), shown)
    }

    /// The picture.
    #[must_use]
    pub fn picture(&self, title: &str, text: &str) -> Markup {
        let shown = || {
            self.frames
                .iter()
                .enumerate()
                .filter(|(_, frame)| frame.is_shown)
        };
        let levels = shown().map(|(_, frame)| frame.level + 1).max().unwrap_or(1);
        html! {
            svg.chart.flame #flame-graph role="group" aria-labelledby="flame-t flame-d"
                width="100%" height=(levels * LEVEL) {
                title #flame-t { (title) }
                desc #flame-d { (text) }
                @for (at, frame) in shown() { (self.frame(at, frame)) }
            }
        }
    }

    fn frame(&self, at: usize, frame: &Flat<'_>) -> Markup {
        let name = format!(
            "{}: {} ({})",
            short(frame.name),
            count(frame.entries),
            share(frame.entries, self.total())
        );
        let (x, y, width) = (
            percent(frame.from),
            frame.level * LEVEL,
            percent(self.width(at)),
        );
        html! {
            a href={ "#f" (at) } aria-label=(name) {
                title { (name) }
                rect.frame.(frame.class) x=(x) y=(y) width=(width) height=(LEVEL - 1) {}
                svg x=(x) y=(y) width=(width) height=(LEVEL) aria-hidden="true" {
                    text x="4" y="14.5" { (short(frame.name)) }
                }
            }
        }
    }

    /// The same as text.
    #[must_use]
    pub fn text(&self) -> Markup {
        html! {
            div.scroll.tree role="group" aria-label="The flame graph as text" tabindex="0" {
                ul { (self.branch(0)) }
            }
        }
    }

    fn branch(&self, at: usize) -> Markup {
        let Some(frame) = self.frames.get(at) else {
            return html! {};
        };
        let is_shown = |child: &&usize| self.frames.get(**child).is_some_and(|f| f.is_shown);
        let children: Vec<usize> = frame.children.iter().filter(is_shown).copied().collect();
        let hidden = frame.children.len() - children.len();
        let line = html! {
            span.n { (count(frame.entries)) } " "
            span.share { (share(frame.entries, self.total())) } " "
            span.name.(frame.class) { (short(frame.name)) }
        };
        html! {
            li {
                @if children.is_empty() {
                    div id={ "f" (at) } { (line) }
                } @else {
                    details id={ "f" (at) } open[frame.level < 3] {
                        summary { (line) }
                        ul {
                            @for child in children { (self.branch(child)) }
                            @if hidden != 0 { li.more { "and " (count(hidden as u64)) " smaller" } }
                        }
                    }
                }
            }
        }
    }
}

fn flatten<'a>(name: &'a str, node: &'a Node, level: u32, frames: &mut Vec<Flat<'a>>) -> usize {
    let at = frames.len();
    frames.push(Flat {
        name,
        entries: node.entries,
        class: if node.cause.is_empty() {
            "all"
        } else {
            palette::cause(&node.cause)
        },
        level,
        children: Vec::new(),
        is_shown: false,
        from: 0.0,
    });
    if level + 1 < LEVELS {
        let children = node.sorted();
        let children: Vec<usize> = children
            .into_iter()
            .map(|(name, child)| flatten(name, child, level + 1, frames))
            .collect();
        if let Some(frame) = frames.get_mut(at) {
            frame.children = children;
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(children: u64) -> Node {
        let each = |n: u64| {
            let child = Node {
                entries: 1_000 + n,
                ..Node::default()
            };
            (format!("child {n:06}"), child)
        };
        let children: std::collections::BTreeMap<_, _> = (0..children).map(each).collect();
        Node {
            entries: children.values().map(|child| child.entries).sum(),
            children,
            ..Node::default()
        }
    }

    /// However wide the tree is, the picture is bounded, and shows what has most.
    #[test]
    fn the_most_frequent_are_shown() {
        let tree = wide(900);
        let flame = Flame::of(&tree);
        let (all, shown) = flame.lengths();
        assert_eq!((all, shown), (901, FRAMES));
        let text = flame.text().into_string();
        assert!(text.contains("child 000899") && !text.contains("child 000001"));
        assert!(text.contains("and 501 smaller"), "{text}");
    }

    /// Frames of one level lie side by side and do not overlap.
    #[test]
    fn frames_lie_side_by_side() {
        let tree = wide(5);
        let flame = Flame::of(&tree);
        let mut end = 0.0;
        for (at, frame) in flame.frames.iter().enumerate().skip(1) {
            assert!((frame.from - end).abs() < 1e-9, "{at}");
            end = frame.from + flame.width(at);
        }
        assert!((end - 1.0).abs() < 1e-9);
    }
}
