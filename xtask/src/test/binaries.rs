//! The test binaries of the workspace and the tests within them.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result};
use cargo_metadata::Message;
use modeswitch_object::process;
use serde::{Deserialize, Serialize};

use crate::workspace;

/// One test binary. Its tests are those that the filter lets through.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Binary {
    /// Such as `profiler suite`.
    pub(super) name: String,
    pub(super) executable: PathBuf,
    /// The folder of the package it belongs to.
    pub(super) package: PathBuf,
    pub(super) plain_tests: Vec<String>,
    pub(super) root_tests: Vec<String>,
}

impl Binary {
    /// Of its tests only those that need root and are in one of some modules.
    pub(crate) fn only(&self, modules: &[&str]) -> Self {
        let mut some = self.clone();
        let is_in = |test: &str| test.split("::").any(|part| modules.contains(&part));
        some.root_tests.retain(|test| is_in(test));
        some.plain_tests.clear();
        some
    }
}

/// Builds all test binaries and asks each what it has.
pub(crate) fn build(filter: Option<&str>, optimized: bool) -> Result<Vec<Binary>> {
    let mut cargo = workspace::cargo();
    cargo
        .args(["test", "--no-run"])
        .args(workspace::HOST_PACKAGES);
    if optimized {
        cargo.arg("--release");
    }
    cargo.arg("--message-format=json-render-diagnostics");
    let messages = process::output(cargo.stderr(Stdio::inherit()))?;
    let mut binaries = Vec::new();
    for message in Message::parse_stream(&messages[..]) {
        if let Message::CompilerArtifact(artifact) = message.context("cargo did not print JSON")?
            && artifact.profile.test
            && let Some(executable) = artifact.executable
        {
            let package = artifact.manifest_path.parent().context("no folder")?;
            let folder = package.file_name().unwrap_or_default();
            let name = format!("{folder} {}", artifact.target.name);
            binaries.push(list(
                name,
                executable.as_std_path(),
                package.as_std_path(),
                filter,
            )?);
        }
    }
    Ok(binaries)
}

/// Asks a test binary what it has.
fn list(name: String, executable: &Path, package: &Path, filter: Option<&str>) -> Result<Binary> {
    let output = process::output(Command::new(executable).args(["--list", "--format", "terse"]))?;
    let text = String::from_utf8(output).context("a test's name is not text")?;
    let tests = text.lines().filter_map(|line| line.strip_suffix(": test"));
    let (root_tests, plain_tests) = tests
        .filter(|test| filter.is_none_or(|filter| test.contains(filter)))
        .map(str::to_owned)
        .partition(|test| needs_root(test));
    Ok(Binary {
        name,
        executable: executable.to_owned(),
        package: package.to_owned(),
        plain_tests,
        root_tests,
    })
}

/// By the house's convention, its name says so. The modules around it do not
/// count: `sysroot_finder::works` is a test like any other.
fn needs_root(test: &str) -> bool {
    let name = test.rsplit("::").next().unwrap_or(test);
    name.starts_with("root_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_tests_own_name_tells_that_it_needs_root() {
        assert!(needs_root("root_counts"));
        assert!(needs_root("live::root_counts"));
        assert!(!needs_root("root_of_tree::is_found"));
        assert!(!needs_root("live::the_root_is_found"));
    }
}
