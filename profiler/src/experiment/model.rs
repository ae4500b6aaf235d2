//! The experiment document.

use serde::{Deserialize, Serialize};
use workload::summary::IoSummary;

use super::saved;
use crate::{
    compare::{
        model::{Method, SidePair},
        side::Group,
    },
    profile::model::{Profile, Tool},
};

/// What [`Experiment::kind`] says, so that the document is told from a profile.
pub const KIND: &str = "experiment";

/// One experiment.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Experiment {
    /// [`crate::profile::model::SCHEMA_VERSION`] of the writer.
    pub schema_version: u32,
    /// Always [`KIND`].
    pub kind: String,
    /// Who wrote it.
    pub tool: Tool,
    /// What was asked.
    pub question: String,
    /// The variants, the one to compare with first.
    pub variants: Vec<Variant>,
    /// The second variant beside the first.
    #[serde(with = "saved::one")]
    #[schemars(with = "saved::Comparison")]
    pub comparison: SidePair,
    /// Each further variant beside the first.
    #[serde(default, with = "saved::several")]
    #[schemars(with = "Vec<saved::Comparison>")]
    pub further: Vec<SidePair>,
    /// How it was carried out and judged.
    #[serde(default)]
    pub method: Procedure,
    /// Runs unlike the others of their variant. They are part of every number.
    #[serde(default)]
    pub outliers: Vec<Outlier>,
    /// What cut it short, or null.
    #[serde(default)]
    pub interrupted: Option<Interrupted>,
    /// What follows from it, in words.
    pub conclusion: String,
}

impl Variant {
    /// Its runs, as a comparison takes them.
    #[must_use]
    pub fn group(&self) -> Group<'_> {
        Group::borrowed(&self.name, &self.profiles)
    }
}

impl Experiment {
    /// What the first run that says so has read.
    #[must_use]
    pub fn io(&self) -> Option<&IoSummary> {
        let mut runs = self.variants.iter().flat_map(|found| &found.profiles);
        runs.find_map(|run| run.io.as_ref())
    }

    /// Whether every run marked a steady state.
    #[must_use]
    pub fn is_steady(&self) -> bool {
        self.variants
            .iter()
            .all(|variant| variant.group().is_steady())
    }

    /// Each variant beside the first.
    pub fn comparisons(&self) -> impl Iterator<Item = &SidePair> {
        std::iter::once(&self.comparison).chain(&self.further)
    }
}

/// How an experiment was carried out and judged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Procedure {
    /// How it was judged.
    #[serde(flatten)]
    pub judged: Method,
    /// Runs of each variant before those, which were thrown away.
    #[serde(default)]
    pub warm_up: u32,
    /// Whether the numbers are of the marked steady state, or of whole runs.
    #[serde(default)]
    pub steady: bool,
}

/// An experiment that did not come to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Interrupted {
    /// The signal's name.
    pub by: String,
    /// Runs that had come to their end, of all variants, warming up included.
    /// The one that was interrupted is in no number.
    pub runs: u32,
    /// Runs that there should have been.
    pub of: u32,
}

/// A run unlike the others of its variant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Outlier {
    /// The variant.
    pub variant: String,
    /// Which of its runs, from 1.
    pub run: usize,
    /// In what.
    pub what: String,
    /// Its value there.
    pub value: f64,
    /// The variant's median.
    pub median: f64,
}

/// One variant and its runs.
#[derive(Clone, Debug, Default, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// What it does differently.
    pub description: String,
    /// What was done for it, as it turned out.
    #[serde(default)]
    pub done: Vec<String>,
    /// Its runs, in order.
    pub profiles: Vec<Profile>,
}
