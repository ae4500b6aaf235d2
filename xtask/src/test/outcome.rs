//! What became of the tests, added up over all binaries.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::known::KnownCount;

/// Passed, failed and skipped tests; each of the latter two with its name.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    passed: usize,
    failed: Vec<String>,
    /// Name and reason.
    skipped: BTreeMap<String, String>,
    /// In the order of the tests.
    #[serde(default)]
    known: Vec<KnownCount>,
}

impl Outcome {
    pub(super) fn is_empty(&self) -> bool {
        let Self {
            passed,
            failed,
            skipped,
            known: _,
        } = self;
        *passed == 0 && failed.is_empty() && skipped.is_empty()
    }

    /// What programs of known counts were found to make.
    pub(crate) fn known(&self) -> &[KnownCount] {
        &self.known
    }

    pub(super) fn know(&mut self, count: KnownCount) {
        self.known.push(count);
    }

    pub(super) fn is_success(&self) -> bool {
        self.failed.is_empty()
    }

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

    pub(super) fn pass(&mut self, count: usize) {
        self.passed += count;
    }

    pub(super) fn fail(&mut self, name: impl Into<String>) {
        self.failed.push(name.into());
    }

    pub(super) fn skip(&mut self, name: &str, reason: &str) {
        self.skipped.insert(name.to_owned(), reason.to_owned());
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, reason) in &self.skipped {
            writeln!(f, "skipped {name}: {reason}")?;
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
        )
    }
}
