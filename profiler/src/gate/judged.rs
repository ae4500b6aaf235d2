//! What is found of one limit.

use serde::{Deserialize, Serialize};

/// How a limit is kept.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is kept.
    Pass,
    /// Only the soft one is not.
    Warning,
    /// It cannot be said.
    Inconclusive,
    /// It is not kept, whatever was lost.
    Breach,
}

impl Outcome {
    /// As documents write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warning => "warning",
            Self::Inconclusive => "inconclusive",
            Self::Breach => "breach",
        }
    }
}
