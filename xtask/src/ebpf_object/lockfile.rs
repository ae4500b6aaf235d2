//! The little of `Cargo.lock` that the source hash needs: who depends on whom.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

/// One `[[package]]` entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    /// `None` for a member of the workspace.
    pub(crate) source: Option<String>,
    /// As cargo writes them: `name`, or `name version` where that is ambiguous.
    pub(crate) dependencies: Vec<String>,
    /// The entry's text, which names the checksum too.
    pub(crate) text: String,
}

impl Package {
    pub(crate) fn is_member(&self) -> bool {
        self.source.is_none()
    }
}

/// All entries of a lock file.
#[derive(Debug)]
pub(crate) struct Lockfile {
    packages: Vec<Package>,
}

impl Lockfile {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let packages = text
            .split("[[package]]")
            .skip(1)
            .map(parse_package)
            .collect::<Result<_>>()?;
        Ok(Self { packages })
    }

    /// `root` and everything it needs, by name and version.
    ///
    /// The lock file does not tell a member's dev-dependencies from the others,
    /// so `keep(member, dependency)` decides which of a member's are followed.
    pub(crate) fn closure(
        &self,
        root: &str,
        keep: &mut dyn FnMut(&str, &str) -> Result<bool>,
    ) -> Result<Vec<&Package>> {
        let mut found = BTreeMap::new();
        let mut pending = vec![self.find(root)?];
        while let Some(package) = pending.pop() {
            let key = (package.name.clone(), package.version.clone());
            if found.insert(key, package).is_some() {
                continue;
            }
            for dependency in &package.dependencies {
                let dependency = self.find(dependency)?;
                if !package.is_member() || keep(&package.name, &dependency.name)? {
                    pending.push(dependency);
                }
            }
        }
        Ok(found.into_values().collect())
    }

    fn find(&self, reference: &str) -> Result<&Package> {
        let mut words = reference.split(' ');
        let name = words.next().unwrap_or_default();
        let version = words.next();
        self.packages
            .iter()
            .find(|p| p.name == name && version.is_none_or(|v| p.version == v))
            .with_context(|| format!("Cargo.lock has no package {reference:?}"))
    }
}

fn parse_package(text: &str) -> Result<Package> {
    // The last entry may be followed by sections such as [metadata].
    let text = text.split("\n[").next().unwrap_or_default().trim();
    let field = |name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "))
            .map(|value| value.trim_matches('"').to_owned())
    };
    let dependencies = text
        .split_once("dependencies = [")
        .and_then(|(_, rest)| rest.split_once(']'))
        .map(|(list, _)| list.split('"').skip(1).step_by(2))
        .map(|names| names.map(str::to_owned).collect())
        .unwrap_or_default();
    Ok(Package {
        name: field("name").context("Cargo.lock: a package without a name")?,
        version: field("version").context("Cargo.lock: a package without a version")?,
        source: field("source"),
        dependencies,
        text: text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"
version = 4

[[package]]
name = "common"
version = "0.1.0"
dependencies = [
 "aya",
 "proptest",
]

[[package]]
name = "program"
version = "0.1.0"
dependencies = [
 "common",
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
"#;

    fn closure(lock: &str) -> Vec<String> {
        Lockfile::parse(lock)
            .unwrap()
            .closure("program", &mut |member, _| Ok(member != "common"))
            .unwrap()
            .iter()
            .map(|p| format!("{} {}", p.name, p.version))
            .collect()
    }

    /// The closure follows the version named, and leaves out what `keep` refuses.
    #[test]
    fn closure_has_what_the_program_needs_and_no_more() {
        assert_eq!(
            closure(LOCK),
            [
                "common 0.1.0",
                "helper 2.0.0",
                "leaf 0.3.1",
                "program 0.1.0"
            ]
        );
    }

    /// An entry's text changes with its checksum, and with nothing beyond it.
    #[test]
    fn text_ends_with_the_entry() {
        let lock = Lockfile::parse(&format!("{LOCK}\n[metadata]\nx = 1\n")).unwrap();
        assert!(lock.find("leaf").unwrap().text.contains("\"33\""));
        assert!(lock.find("proptest").unwrap().text.ends_with("\"55\""));
    }

    #[test]
    fn members_are_the_packages_without_a_source() {
        let lock = Lockfile::parse(LOCK).unwrap();
        assert!(lock.find("common").unwrap().is_member());
        assert!(!lock.find("leaf").unwrap().is_member());
    }

    #[test]
    fn a_missing_package_is_an_error_with_its_name() {
        let lock = Lockfile::parse("[[package]]\nname = \"a\"\nversion = \"1\"\n").unwrap();
        let error = lock.find("b 2").unwrap_err().to_string();
        assert!(error.contains("b 2"), "{error}");
    }
}
