//! What became of the tests, added up over all binaries.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::{Deserialize, Serialize};

/// Passed, failed and skipped tests; all but the first with their names.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(super) passed: usize,
    pub(super) failed: Vec<String>,
    /// Name and reason.
    pub(super) skipped: BTreeMap<String, String>,
    /// Debian's packages that skipped tests need.
    #[serde(default)]
    pub(super) needed: BTreeSet<String>,
    /// What programs of known counts were found to make, in the order of the tests.
    #[serde(default)]
    pub(crate) known: Vec<KnownCount>,
}

impl Outcome {
    /// Everything on one line, failures by name.
    pub(crate) fn line(&self) -> String {
        let mut parts = vec![format!("{} passed", self.passed)];
        if !self.failed.is_empty() {
            parts.push(format!("FAILED: {}", self.failed.join(", ")));
        }
        if !self.skipped.is_empty() {
            parts.push(format!("{} skipped", self.skipped.len()));
        }
        parts.join(", ")
    }

    pub(super) fn skip(&mut self, name: &str, reason: &str) {
        let known = self.skipped.entry(name.to_owned()).or_default();
        if known.is_empty() {
            reason.clone_into(known);
        } else if !known.contains(reason) {
            known.extend(["; ", reason]);
        }
    }
}

/// Of more tests than these that are skipped for one reason, only the number is shown.
const NAMED: usize = 4;

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, reason) in &self.skipped {
            by_reason.entry(reason).or_default().push(name);
        }
        for (reason, names) in by_reason {
            if names.len() <= NAMED {
                writeln!(f, "skipped {}: {reason}", names.join(", "))?;
            } else {
                writeln!(f, "skipped {} tests: {reason}", names.len())?;
            }
        }
        for name in &self.failed {
            writeln!(f, "FAILED  {name}")?;
        }
        write!(
            f,
            "tests: {} passed, {} failed, {} skipped",
            self.passed,
            self.failed.len(),
            self.skipped.len()
        )?;
        if !self.needed.is_empty() {
            let packages: Vec<&str> = self.needed.iter().map(String::as_str).collect();
            write!(
                f,
                "\nto run what was skipped for want of a package: \
                 apt-get install --no-install-recommends {}",
                packages.join(" ")
            )?;
        }
        Ok(())
    }
}

/// One count that a test knew beforehand, or why it could not be had.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct KnownCount {
    /// The program and what of it was counted.
    pub(crate) name: String,
    pub(crate) expected: Option<u64>,
    /// What modeswitch says.
    pub(crate) counted: Option<u64>,
    /// How many at most are missing, as modeswitch says.
    pub(crate) missed: u64,
    /// Bounds, where chance has a part in the count.
    pub(crate) least: Option<u64>,
    pub(crate) most: Option<u64>,
    /// Why this backend or kernel cannot give it.
    pub(crate) unavailable: Option<String>,
    /// In which words modeswitch says that the count is a lower bound.
    pub(crate) inexact: Option<String>,
}

impl KnownCount {
    /// Out of a line such as `KNOWN {"name":"forks","expected":50,"counted":50}`.
    pub(super) fn parse(line: &str) -> Option<Self> {
        serde_json::from_str(line.strip_prefix("KNOWN ")?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One line for one reason, however many tests it has met, and one for all packages.
    #[test]
    fn skips_are_summed_up() {
        let mut outcome = Outcome::default();
        for number in 0..130 {
            outcome.skip(&format!("root_{number}"), "needs root");
        }
        outcome.skip("a", "needs zsh");
        outcome.skip("a", "needs fish");
        outcome.skip("a", "needs fish");
        for package in ["zsh", "fish", "zsh"] {
            outcome.needed.insert(package.to_owned());
        }
        let text = outcome.to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "skipped 130 tests: needs root",
                "skipped a: needs zsh; needs fish",
                "tests: 0 passed, 0 failed, 131 skipped",
                "to run what was skipped for want of a package: \
                 apt-get install --no-install-recommends fish zsh",
            ]
        );
    }

    #[test]
    fn only_whole_lines_are_known_counts() {
        let line = r#"KNOWN {"name":"forks","expected":50,"counted":49,"missed":3}"#;
        let known = KnownCount::parse(line).unwrap();
        assert_eq!((known.expected, known.counted), (Some(50), Some(49)));
        assert_eq!(KnownCount::parse(&line[1..]), None);
        assert_eq!(KnownCount::parse(&line[..30]), None);
    }
}
