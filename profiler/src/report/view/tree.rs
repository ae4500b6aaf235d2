//! Entries as a tree: each part of them, and what it consists of.

use std::{cmp::Reverse, collections::BTreeMap};

/// A tree and what it shows.
#[derive(Debug)]
pub struct Tree {
    /// What its levels are, in words.
    pub text: String,
    /// Fields of the document that have all of it.
    pub fields: [&'static str; 2],
    /// All of it.
    pub root: Node,
}

/// A part of the entries.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// Entries of all of it.
    pub entries: u64,
    /// The cause that it belongs to; empty above the causes.
    pub cause: String,
    /// Its parts by name.
    pub children: BTreeMap<String, Self>,
}

impl Node {
    /// Adds entries to a part, and returns that part.
    pub fn add(&mut self, name: String, cause: &str, entries: u64) -> &mut Self {
        let child = self.children.entry(name).or_default();
        child.entries = child.entries.saturating_add(entries);
        cause.clone_into(&mut child.cause);
        child
    }

    /// Its parts, those with the most entries first.
    #[must_use]
    pub fn sorted(&self) -> Vec<(&str, &Self)> {
        let mut parts: Vec<(&str, &Self)> = self
            .children
            .iter()
            .map(|(name, node)| (name.as_str(), node))
            .collect();
        parts.sort_by_key(|(_, node)| Reverse(node.entries));
        parts
    }
}

/// Levels of a tree that are shown as lines.
const LEVELS: usize = 24;
/// A part of fewer than one in so many entries has no line.
const SMALLEST: u64 = 100;

impl Tree {
    /// The largest parts as lines: level, entries and name.
    #[must_use]
    pub fn lines(&self) -> Vec<(usize, u64, &str)> {
        let mut lines = Vec::new();
        let least = (self.root.entries / SMALLEST).max(1);
        branch(&self.root, "all entries", 0, least, &mut lines);
        lines
    }
}

fn branch<'a>(
    node: &'a Node,
    name: &'a str,
    level: usize,
    least: u64,
    lines: &mut Vec<(usize, u64, &'a str)>,
) {
    if level == LEVELS || node.entries < least {
        return;
    }
    lines.push((level, node.entries, name));
    for (name, child) in node.sorted() {
        branch(child, name, level + 1, least, lines);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Large parts have lines, small ones have none, and the largest come first.
    #[test]
    fn large_parts_have_lines() {
        let mut root = Node {
            entries: 1_000,
            ..Node::default()
        };
        root.add("small".to_owned(), "x", 9);
        root.add("half".to_owned(), "x", 491);
        root.add("large".to_owned(), "x", 500)
            .add("leaf".to_owned(), "x", 500);
        let tree = Tree {
            text: String::new(),
            fields: ["", ""],
            root,
        };
        let expected = [
            (0, 1_000, "all entries"),
            (1, 500, "large"),
            (2, 500, "leaf"),
            (1, 491, "half"),
        ];
        assert_eq!(tree.lines(), expected);
    }
}
