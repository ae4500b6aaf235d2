//! The workspace, as far as the eBPF object is concerned: its members, and what
//! `Cargo.lock` and the manifests say of their dependencies.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use fs_err as fs;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table};

use crate::pins;

/// A workspace that has the sources of the object.
#[derive(Debug, Clone)]
pub struct Workspace {
    root: PathBuf,
}

/// A member that takes part in the object's build.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    /// What it needs for eBPF. Optional dependencies belong to features of the user side.
    pub(crate) dependencies: BTreeSet<String>,
}

/// What the object is built from.
#[derive(Debug)]
pub(crate) struct Closure {
    pub(crate) members: Vec<Member>,
    /// Entries of `Cargo.lock`, by name and version.
    pub(crate) locked: BTreeMap<(String, String), String>,
}

impl Workspace {
    /// The workspace in this folder.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Whether the folder has them: an unpacked package comes without.
    #[must_use]
    pub fn has_sources(&self) -> bool {
        self.root.join(pins::FOLDER).join("Cargo.toml").exists()
    }

    /// Its folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The object that is checked in.
    #[must_use]
    pub fn object(&self) -> PathBuf {
        self.root.join(pins::PREBUILT).join(pins::OBJECT)
    }

    /// The hashes of what that object was built from.
    #[must_use]
    pub fn record(&self) -> PathBuf {
        self.root.join(pins::PREBUILT).join(pins::RECORD)
    }

    pub(crate) fn manifest(&self) -> Result<DocumentMut> {
        read(&self.root.join("Cargo.toml"))
    }

    /// The object's package and everything that it needs.
    pub(crate) fn closure(&self) -> Result<Closure> {
        let members = self.members()?;
        let lock = read(&self.root.join("Cargo.lock"))?;
        let packages = lock.get("package").and_then(Item::as_array_of_tables);
        let packages = packages.context("Cargo.lock has no packages")?;
        let mut closure = Closure {
            members: Vec::new(),
            locked: BTreeMap::new(),
        };
        let mut seen = BTreeSet::new();
        let mut pending = vec![find(packages, pins::PACKAGE)?];
        while let Some(package) = pending.pop() {
            let key = (text(package, "name")?, text(package, "version")?);
            if !seen.insert(key.clone()) {
                continue;
            }
            let member = members
                .get(&key.0)
                .filter(|_| !package.contains_key("source"));
            let member = member
                .map(|folder| Member::read(folder, &key.0))
                .transpose()?;
            let references = package.get("dependencies").and_then(Item::as_array);
            for reference in references.into_iter().flatten() {
                let reference = reference.as_str().context("Cargo.lock: no name")?;
                let dependency = find(packages, reference)?;
                // The lock file lists the dependencies of a member's tests as well.
                let name = text(dependency, "name")?;
                if member
                    .as_ref()
                    .is_none_or(|m| m.dependencies.contains(&name))
                {
                    pending.push(dependency);
                }
            }
            match member {
                Some(member) => closure.members.push(member),
                None => {
                    closure.locked.insert(key, package.to_string());
                }
            }
        }
        closure.members.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(closure)
    }

    /// The folders of all members, by the names of the packages.
    fn members(&self) -> Result<BTreeMap<String, PathBuf>> {
        let manifest = self.manifest()?;
        let members = manifest["workspace"]["members"].as_array();
        let members = members.context("Cargo.toml lists no members")?;
        members
            .iter()
            .map(|member| {
                let folder = self.root.join(member.as_str().context("no folder")?);
                let manifest = read(&folder.join("Cargo.toml"))?;
                let name = manifest["package"]["name"].as_str();
                Ok((name.context("no name")?.to_owned(), folder))
            })
            .collect()
    }
}

impl Member {
    fn read(folder: &Path, name: &str) -> Result<Self> {
        Ok(Self {
            name: name.to_owned(),
            folder: folder.to_owned(),
            dependencies: dependencies(&read(&folder.join("Cargo.toml"))?),
        })
    }
}

/// The names of the packages that a build can need: no dependencies of tests, none that
/// are optional.
fn dependencies(manifest: &DocumentMut) -> BTreeSet<String> {
    let targets = manifest.get("target").and_then(Item::as_table_like);
    let targets = targets.into_iter().flat_map(|targets| targets.iter());
    let platforms = targets.filter_map(|(_, platform)| platform.as_table_like());
    let tables = platforms.chain([manifest.as_table() as &dyn toml_edit::TableLike]);
    let lists = tables.flat_map(|table| {
        ["dependencies", "build-dependencies"]
            .into_iter()
            .filter_map(|list| table.get(list)?.as_table_like())
            .collect::<Vec<_>>()
    });
    let entries = lists.flat_map(|list| list.iter().collect::<Vec<_>>());
    let needed = entries.filter(|(_, entry)| {
        let optional = entry.get("optional").and_then(Item::as_bool);
        optional != Some(true)
    });
    needed
        .map(|(name, entry)| {
            let package = entry.get("package").and_then(Item::as_str);
            package.unwrap_or(name).to_owned()
        })
        .collect()
}

/// The entry that a reference stands for: `name`, or `name version` where that is
/// ambiguous.
fn find<'a>(packages: &'a ArrayOfTables, reference: &str) -> Result<&'a Table> {
    let (name, version) = match reference.split_once(' ') {
        Some((name, version)) => (name, Some(version)),
        None => (reference, None),
    };
    let is = |package: &Table, key: &str, value: &str| {
        package.get(key).and_then(Item::as_str) == Some(value)
    };
    packages
        .iter()
        .find(|package| {
            is(package, "name", name) && version.is_none_or(|v| is(package, "version", v))
        })
        .with_context(|| format!("Cargo.lock has no package {reference:?}"))
}

fn text(package: &Table, key: &str) -> Result<String> {
    let value = package.get(key).and_then(Item::as_str);
    let value = value.with_context(|| format!("Cargo.lock: a package without a {key}"))?;
    Ok(value.to_owned())
}

fn read(path: &Path) -> Result<DocumentMut> {
    let text = fs::read_to_string(path)?;
    let document = text.parse();
    document.with_context(|| format!("{} is no TOML", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
version = 4

[[package]]
name = "modeswitch-common"
version = "0.1.0"
dependencies = [
 "aya",
 "proptest",
]

[[package]]
name = "EBPF"
version = "0.1.0"
dependencies = [
 "modeswitch-common",
 "helper 2.0.0",
]

[[package]]
name = "helper"
version = "1.0.0"
source = "registry+x"
checksum = "11"

[[package]]
name = "helper"
version = "2.0.0"
source = "registry+x"
checksum = "22"
dependencies = [
 "leaf",
]

[[package]]
name = "leaf"
version = "0.3.1"
source = "registry+x"
checksum = "33"

[[package]]
name = "aya"
version = "0.14.0"
source = "registry+x"
checksum = "44"

[[package]]
name = "proptest"
version = "1.0.0"
source = "registry+x"
checksum = "55"

[metadata]
x = 1
"#;

    fn workspace(lock: &str) -> (tempfile::TempDir, Workspace) {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text.replace("EBPF", pins::PACKAGE)).unwrap();
        };
        write(
            "Cargo.toml",
            "[workspace]\nmembers = [\"common\", \"ebpf\"]\n",
        );
        write("Cargo.lock", lock);
        write(
            "common/Cargo.toml",
            "[package]\nname = \"modeswitch-common\"\n\
             [dependencies]\naya = { workspace = true, optional = true }\n\
             [dev-dependencies]\nproptest = \"1\"\n",
        );
        write(
            "ebpf/Cargo.toml",
            "[package]\nname = \"EBPF\"\n\
             [dependencies]\nmodeswitch-common.workspace = true\nhelper = \"2\"\n",
        );
        let workspace = Workspace::new(folder.path());
        (folder, workspace)
    }

    /// What the program needs and no more: of two versions the one that is named, and
    /// nothing that only tests or other features of a member need.
    #[test]
    fn the_closure_is_what_the_program_needs() {
        let (_folder, workspace) = workspace(LOCK);
        let closure = workspace.closure().unwrap();
        let members: Vec<_> = closure.members.iter().map(|m| m.name.as_str()).collect();
        assert_eq!(members, ["modeswitch-common", pins::PACKAGE]);
        let locked: Vec<_> = closure.locked.keys().map(|(name, _)| name).collect();
        assert_eq!(locked, ["helper", "leaf"]);
        let entry = &closure.locked[&("leaf".to_owned(), "0.3.1".to_owned())];
        assert!(
            entry.contains("\"33\"") && !entry.contains("\"44\""),
            "{entry}"
        );
    }

    #[test]
    fn a_missing_package_is_an_error_with_its_name() {
        let (_folder, workspace) = workspace(&LOCK.replace("\"leaf\",", "\"leaves\","));
        let error = workspace.closure().unwrap_err().to_string();
        assert!(error.contains("leaves"), "{error}");
    }

    #[test]
    fn every_kind_of_dependency_but_dev_and_optional_is_found() {
        let manifest = r#"
[dependencies]
plain = "1"
inherited.workspace = true
maybe = { workspace = true, optional = true }
renamed = { package = "other", version = "2" }

[dependencies.table]
version = "3"

[target.'cfg(unix)'.dependencies]
unix = "1"

[build-dependencies]
built = "1"

[dev-dependencies]
tests-only = "1"
"#;
        let found = dependencies(&manifest.parse().unwrap());
        let found: Vec<_> = found.iter().map(String::as_str).collect();
        assert_eq!(
            found,
            ["built", "inherited", "other", "plain", "table", "unix"]
        );
    }
}
