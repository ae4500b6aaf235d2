//! The hash of everything that decides what the eBPF object looks like, and the file
//! beside the checked-in object that says what it was built from.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use anyhow::Result;
use fs_err as fs;
use sha2::{Digest as _, Sha256};

use crate::{pins, workspace::Workspace};

const HEADER: &str = "\
# What modeswitch.bpf.o was built from: SHA-256 of each item.
# Written by `cargo xtask build-ebpf`; do not edit.
";
/// The item that stands for the object itself.
const OBJECT: &str = "object";

/// One digest for each item, so that a difference can be named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    items: BTreeMap<String, String>,
}

impl Record {
    /// The sources as they are now, without an object.
    pub fn of_sources(workspace: &Workspace) -> Result<Self> {
        let mut items = BTreeMap::new();
        let mut add = |name: String, content: &[u8]| items.insert(name, sha256(content));
        add("toolchain".to_owned(), pins::describe().as_bytes());
        let root = workspace.manifest()?;
        let inherited = |path: &[&str]| {
            let mut item = Some(root.as_item());
            for key in path {
                item = item.and_then(|item| item.get(key));
            }
            item.map(ToString::to_string).unwrap_or_default()
        };
        let edition = inherited(&["workspace", "package", "edition"]);
        add("workspace edition".to_owned(), edition.trim().as_bytes());
        // The one thing that our own profile cannot help inheriting.
        let overrides = inherited(&["profile", "release", "package"]);
        add(
            "workspace release overrides".to_owned(),
            overrides.as_bytes(),
        );

        let closure = workspace.closure()?;
        for ((name, version), entry) in &closure.locked {
            add(format!("locked {name} {version}"), entry.trim().as_bytes());
        }
        for member in &closure.members {
            for dependency in &member.dependencies {
                let entry = inherited(&["workspace", "dependencies", dependency]);
                if !entry.is_empty() {
                    let name = format!("workspace dependency {dependency}");
                    add(name, entry.trim().as_bytes());
                }
            }
            for (path, content) in files(workspace.root(), &member.folder)? {
                add(path, &content);
            }
        }
        Ok(Self { items })
    }

    /// The same with an object that was built from them.
    #[must_use]
    pub fn with_object(mut self, object: &[u8]) -> Self {
        self.items.insert(OBJECT.to_owned(), sha256(object));
        self
    }

    /// Whether this is the object that the record is of.
    #[must_use]
    pub fn is_of(&self, object: &[u8]) -> bool {
        self.items.get(OBJECT) == Some(&sha256(object))
    }

    /// Reads the file.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let items = text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once("  "))
            .map(|(digest, name)| (name.to_owned(), digest.to_owned()))
            .collect();
        Self { items }
    }

    /// The file's text.
    #[must_use]
    pub fn render(&self) -> String {
        let lines = self.items.iter();
        let lines = lines.map(|(name, digest)| format!("{digest}  {name}\n"));
        std::iter::once(HEADER.to_owned()).chain(lines).collect()
    }

    /// In words, what is not as it was when the object was built.
    fn differences(&self, now: &Self) -> Vec<String> {
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
pub fn staleness(workspace: &Workspace) -> Result<Vec<String>> {
    let now = Record::of_sources(workspace)?;
    let (record, object) = (workspace.record(), workspace.object());
    if !record.exists() || !object.exists() {
        return Ok(vec!["there is no prebuilt object".to_owned()]);
    }
    let text = fs::read_to_string(&record)?;
    let content = fs::read(&object)?;
    Ok(Record::parse(&text).differences(&now.with_object(&content)))
}

/// SHA-256 in hexadecimal.
#[must_use]
pub fn sha256(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    digest.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The files of a member that take part in a build, by path in the workspace.
fn files(root: &Path, folder: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let mut paths = vec![folder.join("Cargo.toml")];
    paths.extend(Some(folder.join("build.rs")).filter(|path| path.exists()));
    collect_files(&folder.join("src"), &mut paths)?;
    paths
        .into_iter()
        .map(|path| {
            let content = fs::read(&path)?;
            let name = path.strip_prefix(root).unwrap_or(&path);
            Ok((name.to_string_lossy().into_owned(), content))
        })
        .collect()
}

fn collect_files(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        // Editors leave files of their own beside the sources.
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        if path.is_dir() {
            collect_files(&path, paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
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
