//! The file beside the checked-in object that says what it was built from.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context as _, Result};

use super::layout::Layout;
use super::sources::{self, Sources};

const HEADER: &str = "\
# What modeswitch.bpf.o was built from: SHA-256 of each item.
# Written by `cargo xtask build-ebpf`; do not edit.
";
/// The item that stands for the object itself.
const OBJECT: &str = "object";

/// The object's digest and those of its sources.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Record {
    items: BTreeMap<String, String>,
}

impl Record {
    pub(crate) fn new(object: &[u8], sources: &Sources) -> Self {
        let mut items = sources.items().clone();
        items.insert(OBJECT.to_owned(), sources::sha256(object));
        Self { items }
    }

    /// The record and the object that are checked in; `None` if there is none.
    pub(crate) fn read(layout: &Layout) -> Result<Option<(Self, Vec<u8>)>> {
        let (record, object) = (layout.record(), layout.object());
        if !record.exists() || !object.exists() {
            return Ok(None);
        }
        let text = fs::read_to_string(&record)
            .with_context(|| format!("cannot read {}", record.display()))?;
        let content =
            fs::read(&object).with_context(|| format!("cannot read {}", object.display()))?;
        Ok(Some((Self::parse(&text), content)))
    }

    pub(crate) fn parse(text: &str) -> Self {
        let items = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once("  "))
            .map(|(digest, name)| (name.to_owned(), digest.to_owned()))
            .collect();
        Self { items }
    }

    pub(crate) fn render(&self) -> String {
        let lines = self.items.iter();
        let lines = lines.map(|(name, digest)| format!("{digest}  {name}\n"));
        std::iter::once(HEADER.to_owned()).chain(lines).collect()
    }

    /// In words, what is not as it was when the object was built.
    pub(crate) fn differences(&self, now: &Self) -> Vec<String> {
        let gone = self.items.keys().filter(|k| !now.items.contains_key(*k));
        let gone = gone.map(|name| format!("{name} is gone"));
        let other = now
            .items
            .iter()
            .filter_map(|(name, digest)| match self.items.get(name) {
                None => Some(format!("{name} is new")),
                Some(recorded) if recorded != digest => Some(format!("{name} has changed")),
                Some(_) => None,
            });
        gone.chain(other).collect()
    }
}

/// Why the checked-in object may not be used; empty if it is up to date.
pub(crate) fn staleness(layout: &Layout) -> Result<Vec<String>> {
    let sources = Sources::read(layout)?;
    Ok(match Record::read(layout)? {
        None => vec!["there is no prebuilt object".to_owned()],
        Some((record, object)) => record.differences(&Record::new(&object, &sources)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(items: &[(&str, &str)]) -> Record {
        let items = items.iter();
        Record {
            items: items
                .map(|(name, digest)| ((*name).to_owned(), (*digest).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn what_is_rendered_is_what_is_parsed() {
        let written = record(&[("object", "aa"), ("locked aya 1.0", "bb")]);
        assert_eq!(Record::parse(&written.render()), written);
    }

    /// A changed, a new and a missing item are each named; an equal one is not.
    #[test]
    fn differences_are_named() {
        let then = record(&[("same", "1"), ("edited", "2"), ("removed", "3")]);
        let now = record(&[("same", "1"), ("edited", "9"), ("added", "4")]);
        assert_eq!(
            then.differences(&now),
            ["removed is gone", "added is new", "edited has changed"]
        );
        assert!(then.differences(&then).is_empty());
    }
}
