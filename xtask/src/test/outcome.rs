//! What became of the tests, added up over all binaries.

use std::collections::BTreeMap;
use std::fmt;

/// Passed, failed and skipped tests; each of the latter two with its name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    passed: usize,
    failed: Vec<String>,
    /// Name and reason.
    skipped: BTreeMap<String, String>,
}

impl Outcome {
    pub(super) fn is_empty(&self) -> bool {
        let Self {
            passed,
            failed,
            skipped,
        } = self;
        *passed == 0 && failed.is_empty() && skipped.is_empty()
    }

    pub(super) fn is_success(&self) -> bool {
        self.failed.is_empty()
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
