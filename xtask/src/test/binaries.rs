//! The test binaries of the workspace and the tests within them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ebpf_object::process;
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
    let output = cargo
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start `{}`", process::describe(&cargo)))?;
    ensure!(
        output.status.success(),
        "`{}` ended with {}",
        process::describe(&cargo),
        output.status
    );
    let messages = String::from_utf8(output.stdout).context("cargo did not print text")?;
    messages
        .lines()
        .filter_map(|line| Artifact::parse(line).transpose())
        .map(|artifact| list(artifact?, filter))
        .collect()
}

/// What cargo says of one test binary.
#[derive(Debug, PartialEq, Eq)]
struct Artifact {
    name: String,
    executable: PathBuf,
    package: PathBuf,
}

impl Artifact {
    fn parse(line: &str) -> Result<Option<Self>> {
        let message: Value = serde_json::from_str(line).context("cargo did not print JSON")?;
        let is_test =
            message["reason"] == "compiler-artifact" && message["profile"]["test"] == true;
        let Some(executable) = message["executable"].as_str().filter(|_| is_test) else {
            return Ok(None);
        };
        let text = |value: &Value| {
            value
                .as_str()
                .map(str::to_owned)
                .context("cargo's JSON lacks a field")
        };
        let manifest = PathBuf::from(text(&message["manifest_path"])?);
        let package = manifest.parent().unwrap_or(Path::new("/")).to_path_buf();
        let package_name = package.file_name().unwrap_or_default().to_string_lossy();
        Ok(Some(Self {
            name: format!("{package_name} {}", text(&message["target"]["name"])?),
            executable: executable.into(),
            package,
        }))
    }
}

fn list(artifact: Artifact, filter: Option<&str>) -> Result<Binary> {
    let Artifact {
        name,
        executable,
        package,
    } = artifact;
    let mut command = Command::new(&executable);
    let output = command
        .args(["--list", "--format", "terse"])
        .output()
        .with_context(|| format!("cannot start {}", executable.display()))?;
    ensure!(output.status.success(), "{name} does not list its tests");
    let text = String::from_utf8(output.stdout).context("a test's name is not text")?;
    let tests = text.lines().filter_map(|line| line.strip_suffix(": test"));
    let (root_tests, plain_tests) = tests
        .filter(|test| filter.is_none_or(|filter| test.contains(filter)))
        .map(str::to_owned)
        .partition(|test| needs_root(test));
    Ok(Binary {
        name,
        executable,
        package,
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

    #[test]
    fn only_test_executables_are_taken_from_cargos_messages() {
        let test = r#"{"reason":"compiler-artifact","manifest_path":"/w/profiler/Cargo.toml","target":{"name":"suite"},"profile":{"test":true},"executable":"/t/suite-1"}"#;
        let artifact = Artifact::parse(test).unwrap().unwrap();
        assert_eq!(artifact.name, "profiler suite");
        assert_eq!(artifact.package, Path::new("/w/profiler"));
        let ordinary = test.replace("true", "false");
        assert_eq!(Artifact::parse(&ordinary).unwrap(), None);
        let other = r#"{"reason":"build-finished","success":true}"#;
        assert_eq!(Artifact::parse(other).unwrap(), None);
    }
}
