//! The result of a check, as data: what `check --format json` prints.

use serde::{Deserialize, Serialize};

use super::{budget::Per, judged::Outcome};
use crate::profile::model::{Backend, Tool};

pub use super::culprit::{Culprit, Hit};

/// What the document calls itself.
pub const KIND: &str = "check";

/// The result of a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Verdict {
    /// The version of this document: that of profiles.
    pub schema_version: u32,
    /// [`KIND`].
    pub kind: String,
    /// Who judged.
    pub tool: Tool,
    /// The worst of all findings.
    pub outcome: Outcome,
    /// What was judged by.
    pub against: Against,
    /// The runs that were judged.
    pub runs: Vec<Run>,
    /// The runs of the baseline, if there is one.
    pub baseline: Vec<Run>,
    /// One for each limit, in its order.
    pub findings: Vec<Finding>,
    /// What should be known besides.
    pub notes: Vec<String>,
}

/// What runs are judged by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Against {
    /// A budget.
    Budget {
        /// Its file.
        file: String,
    },
    /// An earlier state.
    Baseline,
}

/// A run, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Run {
    /// Its file, or `run 1` if it was measured just now.
    pub name: String,
    /// The command.
    pub command: Vec<String>,
    /// How it was measured.
    pub backend: Backend,
    /// On which kernel.
    pub kernel: String,
    /// How long it took.
    pub duration_ns: u64,
    /// All entries.
    pub total: u64,
}

/// What was found of one limit, or of one row of the baseline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Finding {
    /// What people call it.
    pub name: String,
    /// The cause, or null for all of them.
    pub cause: Option<String>,
    /// The detail, which may have wildcards.
    pub detail: Option<String>,
    /// The phase.
    pub phase: Option<String>,
    /// The thread's name, which may have wildcards.
    pub thread: Option<String>,
    /// In proportion to what.
    pub per: Per,
    /// How it is kept.
    pub outcome: Outcome,
    /// Above this it fails.
    pub hard: Option<f64>,
    /// Above this it warns.
    pub soft: Option<f64>,
    /// The number in each run; null where there is none.
    pub values: Vec<Option<f64>>,
    /// The number that was judged: the largest of a budget's runs, the median
    /// beside a baseline.
    pub judged: Option<f64>,
    /// Whether there may have been more.
    pub at_least: bool,
    /// The baseline's runs, if there are any.
    pub baseline: Vec<Option<f64>>,
    /// Whether the baseline has nothing of it.
    pub is_new: bool,
    /// Why it is as it is, a sentence for each reason.
    pub reasons: Vec<String>,
    /// The code responsible, the most frequent first, if it is not kept.
    pub code: Vec<Culprit>,
    /// The memory that its page faults hit, likewise.
    pub memory: Vec<Hit>,
    /// Where in the budget's file the limit is.
    pub line: Option<usize>,
}
