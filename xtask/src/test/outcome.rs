//! What became of the tests, added up over all binaries.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::known::KnownCount;

/// Passed, failed and skipped tests; all but the first with their names.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    passed: usize,
    failed: Vec<String>,
    /// Failed once, and passed when they were run again.
    #[serde(default)]
    unsteady: Vec<String>,
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
            unsteady,
            skipped,
            known: _,
        } = self;
        *passed == 0 && failed.is_empty() && unsteady.is_empty() && skipped.is_empty()
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
        if !self.unsteady.is_empty() {
            parts.push(format!("second try: {}", self.unsteady.join(", ")));
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

    /// Takes over what a second try of these failed tests has shown: which have passed
    /// now, and the counts that they found.
    pub(super) fn pass_after_all(&mut self, names: &[String], again: Self) {
        let passed = again.passed_of(names);
        self.failed.retain(|name| !passed.contains(name));
        self.unsteady.extend(passed);
        let is_anew = |count: &KnownCount| again.known.iter().any(|new| new.name == count.name);
        self.known.retain(|count| !is_anew(count));
        self.known.extend(again.known);
    }

    /// Which of these passed: all that did not fail, if as many passed. A binary
    /// that dies says nothing of what it did not come to.
    fn passed_of(&self, names: &[String]) -> Vec<String> {
        let named = names.iter().filter(|name| !self.failed.contains(name));
        let named: Vec<String> = named.cloned().collect();
        if self.passed == named.len() {
            named
        } else {
            Vec::new()
        }
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
        for name in &self.unsteady {
            writeln!(f, "UNSTEADY {name}: failed, and passed at the second try")?;
        }
        for name in &self.failed {
            writeln!(f, "FAILED  {name}")?;
        }
        write!(f, "tests: {} passed", self.passed)?;
        if !self.unsteady.is_empty() {
            write!(f, ", {} only at the second try", self.unsteady.len())?;
        }
        write!(
            f,
            ", {} failed, {} skipped",
            self.failed.len(),
            self.skipped.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What passes at the second try is no failure, and no secret. A binary that
    /// died has passed nothing.
    #[test]
    fn second_tries_are_told() {
        let names = ["s: a", "s: b"].map(str::to_owned);
        let mut outcome = Outcome::default();
        outcome.pass(5);
        for name in &names {
            outcome.fail(name);
        }
        outcome.pass_after_all(&names, Outcome::default());
        assert_eq!(outcome.failed, names);
        let mut again = Outcome::default();
        again.pass(1);
        again.fail("s: b");
        outcome.pass_after_all(&names, again);
        assert!(!outcome.is_success());
        assert_eq!(outcome.line(), "5 passed, FAILED: s: b, second try: s: a");
        assert!(
            outcome
                .to_string()
                .contains("5 passed, 1 only at the second try, 1 failed")
        );
    }
}
