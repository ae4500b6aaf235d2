//! The hash of everything that decides what the eBPF object looks like.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

use super::layout::Layout;
use super::lockfile::{Lockfile, Package};
use super::{manifest, pins};

/// What the object is made from, one digest for each item, so that a
/// difference can be named.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sources {
    items: BTreeMap<String, String>,
}

impl Sources {
    pub(crate) fn read(layout: &Layout) -> Result<Self> {
        let mut items = BTreeMap::new();
        let mut add = |name: String, content: &[u8]| items.insert(name, sha256(content));

        add("toolchain".to_owned(), pins::describe().as_bytes());
        let root_manifest = read_text(&layout.root_manifest())?;
        let edition = manifest::workspace_edition(&root_manifest).unwrap_or_default();
        add("workspace edition".to_owned(), edition.as_bytes());
        let overrides = manifest::release_overrides(&root_manifest);
        add(
            "workspace release overrides".to_owned(),
            overrides.as_bytes(),
        );

        for package in closure(layout)? {
            let Package {
                name,
                version,
                text,
                ..
            } = &package;
            if !package.is_member() {
                add(format!("locked {name} {version}"), text.as_bytes());
                continue;
            }
            // A member's entry in the lock file lists dev-dependencies too.
            add(format!("member {name} {version}"), b"");
            for dependency in member_dependencies(layout, name)? {
                if let Some(entry) = manifest::workspace_entry(&root_manifest, &dependency) {
                    add(
                        format!("workspace dependency {dependency}"),
                        entry.as_bytes(),
                    );
                }
            }
            for (path, content) in member_files(layout, name)? {
                add(path, &content);
            }
        }
        Ok(Self { items })
    }

    /// Name and digest of every item, sorted by name.
    pub(crate) fn items(&self) -> &BTreeMap<String, String> {
        &self.items
    }
}

/// The packages that the object is built from, as `Cargo.lock` has them.
pub(crate) fn closure(layout: &Layout) -> Result<Vec<Package>> {
    let lock = Lockfile::parse(&read_text(&layout.lockfile())?)?;
    let packages = lock.closure(pins::PACKAGE, &mut |member, dependency| {
        Ok(member_dependencies(layout, member)?
            .iter()
            .any(|name| name == dependency))
    })?;
    Ok(packages.into_iter().cloned().collect())
}

/// SHA-256 in hexadecimal.
pub(crate) fn sha256(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    digest.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// What a member needs when built for eBPF: its optional dependencies belong
/// to features of the user side.
fn member_dependencies(layout: &Layout, member: &str) -> Result<Vec<String>> {
    let text = read_text(&layout.member(member).join("Cargo.toml"))?;
    Ok(manifest::dependencies(&text)
        .into_iter()
        .filter(|dependency| !dependency.optional)
        .map(|dependency| dependency.package)
        .collect())
}

/// The files of a member that take part in a build, by path in the workspace.
fn member_files(layout: &Layout, member: &str) -> Result<Vec<(String, Vec<u8>)>> {
    let folder = layout.member(member);
    let mut paths = vec![folder.join("Cargo.toml")];
    paths.extend(Some(folder.join("build.rs")).filter(|path| path.exists()));
    collect_files(&folder.join("src"), &mut paths)?;
    paths
        .into_iter()
        .map(|path| {
            let content =
                fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let name = path.strip_prefix(layout.root()).unwrap_or(&path);
            Ok((name.to_string_lossy().into_owned(), content))
        })
        .collect()
}

fn collect_files(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    let context = || format!("cannot list {}", folder.display());
    for entry in fs::read_dir(folder).with_context(context)? {
        let path = entry.with_context(context)?.path();
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

fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
