//! Reading profiles as a script would: by the names in the JSON document.

use std::{path::Path, process::Output};

use serde_json::Value;

use super::{command, targets};

/// A profile as JSON.
pub(crate) struct Json(pub(crate) Value);

/// Measures the known-count program. `options` go to modeswitch.
#[track_caller]
pub(crate) fn counts(options: &[&str], arguments: &[&str]) -> Json {
    let target = targets::counts().to_str().expect("a plain path");
    let mut all = vec!["run", "--format", "json"];
    all.extend(options);
    all.extend(["--", target]);
    all.extend(arguments);
    from_output(&command::run(all))
}

/// The document that a successful run printed.
#[track_caller]
pub(crate) fn from_output(output: &Output) -> Json {
    assert!(output.status.success(), "{}", command::stderr(output));
    Json(serde_json::from_slice(&output.stdout).expect("one JSON document on standard output"))
}

/// The document in a file.
#[track_caller]
pub(crate) fn from_file(path: &Path) -> Json {
    let text = std::fs::read(path).expect("the file was written");
    Json(serde_json::from_slice(&text).expect("one JSON document in the file"))
}

impl Json {
    fn rows(&self) -> &[Value] {
        self.0["ledger"]["by_cause"]
            .as_array()
            .expect("by_cause is a list")
    }

    /// Entries of a cause and detail in the whole run.
    pub(crate) fn count(&self, cause: &str, detail: &str) -> u64 {
        let rows = self.rows().iter();
        rows.filter(|row| row["cause"] == cause && row["detail"] == detail)
            .map(|row| row["count"].as_u64().expect("a count"))
            .sum()
    }

    /// Entries of a cause, any detail, in one phase.
    pub(crate) fn of_cause_in(&self, cause: &str, phase: &str) -> u64 {
        let rows = self.rows().iter();
        rows.filter(|row| row["cause"] == cause)
            .map(|row| row["phases"][phase].as_u64().unwrap_or(0))
            .sum()
    }

    /// Entries of a cause and detail in one phase.
    pub(crate) fn count_in(&self, cause: &str, detail: &str, phase: &str) -> u64 {
        let rows = self.rows().iter();
        rows.filter(|row| row["cause"] == cause && row["detail"] == detail)
            .map(|row| row["phases"][phase].as_u64().unwrap_or(0))
            .sum()
    }

    /// Entries of a cause in the whole run.
    pub(crate) fn of_cause(&self, cause: &str) -> u64 {
        let rows = self.rows().iter();
        rows.filter(|row| row["cause"] == cause)
            .map(|row| row["count"].as_u64().expect("a count"))
            .sum()
    }

    /// Asserts that nothing was missed or lost, and that no check failed.
    #[track_caller]
    pub(crate) fn assert_nothing_lost(&self) {
        let accounting = &self.0["accounting"];
        for miss in accounting["misses"].as_array().expect("misses is a list") {
            assert_eq!(miss["count"].as_u64().unwrap_or(0), 0, "{miss}");
        }
        for (reason, lost) in accounting["losses"]
            .as_object()
            .expect("losses is an object")
        {
            assert_eq!(lost.as_u64(), Some(0), "{reason}");
        }
        assert_eq!(accounting["unclassified"], 0);
        for check in accounting["cross_checks"].as_array().expect("a list") {
            assert_ne!(check["verdict"], "inconsistent", "{check}");
        }
    }
}
