//! apt with a root of its own: packages of suites that this machine does not use, from
//! the mirrors that it does. Debian's signature is checked, as apt always does.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};
use fs_err as fs;
use modeswitch_object::process;

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// A package in one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
}

/// apt's lists, caches and settings below one folder.
pub(crate) struct Apt {
    root: PathBuf,
}

impl Apt {
    /// For these suites. A mirror that lacks one of them is passed over.
    pub(crate) fn new(root: &Path, suites: &[&str]) -> Result<Self> {
        let mut mirrors = index_targets(Command::new("apt-get").arg("indextargets").args([
            "--no-release-info",
            "--format=$(REPO_URI)",
            "Component: main",
        ]))?;
        mirrors.sort();
        mirrors.dedup();
        ensure!(!mirrors.is_empty(), "apt knows no mirror");
        let lists = root.join("state/lists/partial");
        for folder in [&lists, &root.join("cache")] {
            fs::create_dir_all(folder)?;
        }
        let sources = format!(
            "Types: deb\nURIs: {}\nSuites: {}\nComponents: main\nArchitectures: amd64\n\
             Targets: Packages\nSigned-By: {KEYRING}\n",
            mirrors.join(" "),
            suites.join(" ")
        );
        // The machine's own settings, such as a proxy, are read before these. Its hooks
        // are for its own root, and an old suite's lists are as good as they ever were.
        let settings = format!(
            "Dir::State \"{root}/state\";\nDir::State::status \"{root}/state/status\";\n\
             Dir::Cache \"{root}/cache\";\nDir::Etc::sourcelist \"{root}/debian.sources\";\n\
             Dir::Etc::sourceparts \"-\";\n#clear APT::Update;\nAPT::Architecture \"amd64\";\n\
             APT::Sandbox::User \"root\";\nAcquire::Languages \"none\";\n\
             Acquire::Check-Valid-Until \"false\";\n",
            root = root.display()
        );
        let apt = Self {
            root: root.to_owned(),
        };
        for (path, text) in [
            (root.join("debian.sources"), sources),
            (apt.settings(), settings),
            (root.join("state/status"), String::new()),
        ] {
            fs::write(&path, text)?;
        }
        Ok(apt)
    }

    /// Fetches the suites' lists of packages.
    pub(crate) fn update(&self) -> Result<()> {
        let output = run(self.command("apt-get").args(["-q", "update"]))?;
        // A suite is on one mirror or the other, and apt calls the rest an error.
        let said = String::from_utf8_lossy(&output.stdout);
        let is_answer = |line: &str| line.starts_with("Get:") || line.starts_with("Hit:");
        if !said.lines().any(is_answer) || self.mirrors()?.is_empty() {
            bail!(
                "no mirror has any of the suites: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        Ok(())
    }

    /// The mirrors that have one of the suites.
    pub(crate) fn mirrors(&self) -> Result<Vec<String>> {
        let mut apt_get = self.command("apt-get");
        index_targets(apt_get.args(["indextargets", "--format=$(REPO_URI)"]))
    }

    /// The packages whose names begin so, each in its latest version.
    pub(crate) fn packages(&self, prefix: &str) -> Result<Vec<Package>> {
        let names = text(self.command("apt-cache").args(["pkgnames", prefix]))?;
        // One line for each version, and the latest of a package comes first.
        let lines = text(self.command("apt-cache").arg("madison").args(names.lines()))?;
        let fields = lines.lines().filter_map(|line| {
            let mut fields = line.split('|').map(str::trim);
            Some((fields.next()?.to_owned(), fields.next()?.to_owned()))
        });
        let mut packages: Vec<Package> = fields
            .map(|(name, version)| Package { name, version })
            .collect();
        packages.dedup_by(|later, first| later.name == first.name);
        Ok(packages)
    }

    /// Fetches a package, of which `version` may end in `*`, into an empty folder.
    pub(crate) fn download(&self, name: &str, version: &str, folder: &Path) -> Result<PathBuf> {
        let mut apt_get = self.command("apt-get");
        apt_get.args(["-qq", "download", &format!("{name}={version}")]);
        process::output(apt_get.current_dir(folder))?;
        let mut entries = fs::read_dir(folder)?;
        let entry = entries
            .next()
            .with_context(|| format!("apt left no file for {name}"))?;
        Ok(entry?.path())
    }

    fn settings(&self) -> PathBuf {
        self.root.join("apt.conf")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("LC_ALL", "C")
            .arg("--config-file")
            .arg(self.settings());
        command
    }
}

/// Whether one version is later than another, as dpkg has it.
pub(crate) fn is_later(version: &str, than: &str) -> Result<bool> {
    let mut dpkg = Command::new("dpkg");
    let output = run(dpkg.args(["--compare-versions", version, "gt", than]))?;
    match output.status.code() {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        _ => bail!("dpkg cannot compare {version} with {than}"),
    }
}

/// A field of apt's lists of packages, one for each list.
fn index_targets(apt_get: &mut Command) -> Result<Vec<String>> {
    let lines = text(apt_get.arg("Created-By: Packages"))?;
    let mut lines: Vec<String> = lines.lines().map(str::to_owned).collect();
    lines.dedup();
    Ok(lines)
}

fn text(command: &mut Command) -> Result<String> {
    let output = process::output(command)?;
    String::from_utf8(output)
        .with_context(|| format!("`{}` did not print text", process::describe(command)))
}

fn run(command: &mut Command) -> Result<Output> {
    let output = command.stdin(Stdio::null()).output();
    output.with_context(|| format!("cannot start `{}`", process::describe(command)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 9 is less than 10, and a backport less than what it was made from.
    #[test]
    fn versions_are_compared_as_dpkg_does() {
        if crate::install::find_program("dpkg").is_none() {
            println!("SKIPPED versions_are_compared_as_dpkg_does: no dpkg here");
            return;
        }
        for (low, high) in [("6.1.9-1", "6.1.10-1"), ("6.1.187-1~deb11u1", "6.1.187-1")] {
            assert!(is_later(high, low).unwrap());
            assert!(!is_later(low, high).unwrap());
        }
        assert!(!is_later("6.1-1", "6.1-1").unwrap());
    }
}
