//! Known counts: what the tests of exactness print, one line for each.

use serde::{Deserialize, Serialize};

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

    #[test]
    fn only_whole_lines_are_known_counts() {
        let line = r#"KNOWN {"name":"forks","expected":50,"counted":49,"missed":3}"#;
        let known = KnownCount::parse(line).unwrap();
        assert_eq!((known.expected, known.counted), (Some(50), Some(49)));
        assert_eq!(KnownCount::parse(&line[1..]), None);
        assert_eq!(KnownCount::parse(&line[..30]), None);
    }
}
