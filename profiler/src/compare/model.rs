//! The comparison document.
//!
//! Part of schema 1: fields may be added, none may be renamed. A number that is
//! not known is null, which is not the same as 0.

use serde::{Deserialize, Serialize};

pub use crate::stats::{judgement::Judgement, spread::Spread};
use crate::{named::CauseName, profile::model::Tool};

/// What [`Compared::kind`] says, so that the document is told from a profile.
pub const KIND: &str = "comparison";

/// Profiles side by side.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Compared {
    /// [`crate::profile::model::SCHEMA_VERSION`] of the writer.
    pub schema_version: u32,
    /// Always [`KIND`].
    pub kind: String,
    /// Who wrote it.
    pub tool: Tool,
    /// What follows from it, in words.
    pub verdict: String,
    /// What is compared, the side to compare with first.
    pub sides: Vec<Side>,
    /// Each other side beside the first.
    pub comparisons: Vec<Comparison>,
    /// Why the sides can be compared only with care, a sentence for each reason.
    pub warnings: Vec<String>,
    /// How it was judged.
    pub method: Method,
}

/// One side: a profile, or several of the same thing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Side {
    /// Its name.
    pub label: String,
    /// Its files.
    pub files: Vec<String>,
    /// The command that was measured; empty where none was launched.
    pub command: Vec<String>,
    /// Length of the whole runs, in nanoseconds.
    pub duration_ns: Spread,
    /// Entries of the whole runs.
    pub entries: Spread,
    /// Entries per second of the whole runs, or null without a length.
    pub per_second: Option<f64>,
    /// Entries per second of steady state, or null if a run marked none.
    pub steady_per_second: Option<f64>,
    /// Entries per million I/Os in steady state, or null if not known.
    pub steady_per_million_ios: Option<f64>,
    /// Why its counts are lower bounds. Empty: they are exact.
    pub inexact: Vec<String>,
    /// Whether that holds of each count, and not only of sums over all causes.
    #[serde(default)]
    pub bounds_each_count: bool,
}

/// How it was judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Method {
    /// Runs of the side that has the fewest.
    pub runs: usize,
    /// The fewest runs of each side with which a difference can be told from
    /// chance.
    pub runs_needed: usize,
    /// Numbers judged together.
    pub judged: usize,
    /// The chance, over all of them, of finding a difference where there is none.
    pub level: f64,
}

/// Two sides.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Comparison {
    /// The first side's name.
    pub before: String,
    /// The other one's.
    pub after: String,
    /// What follows from it, in words.
    pub verdict: String,
    /// Whether `totals` are of the marked steady state, or of whole runs.
    pub steady: bool,
    /// What the numbers of steady state are in proportion to.
    pub steady_basis: Basis,
    /// What the numbers of whole runs are in proportion to.
    pub whole_basis: Basis,
    /// All entries, and those of the causes that are judged.
    pub totals: Vec<CauseChange>,
    /// By cause and detail in steady state; empty unless all runs marked one.
    pub by_cause_steady: Vec<CauseChange>,
    /// By cause and detail in whole runs.
    pub by_cause: Vec<CauseChange>,
    /// By code in whole runs.
    pub by_code: Vec<CodeChange>,
    /// By threads of one name in whole runs.
    pub by_thread: Vec<ThreadChange>,
    /// Page faults by mapping in whole runs.
    pub by_mapping: Vec<MappingChange>,
}

/// What counts are compared in proportion to.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Nothing: the runs did the same or lasted as long.
    #[default]
    PerRun,
    /// Time, since the runs were of different length.
    PerSecond,
    /// Work, since it is known and differs.
    PerMillionIos,
}

/// What became of a number.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Nothing.
    #[default]
    Same,
    /// It rose or fell.
    Changed,
    /// Only the second side has it.
    New,
    /// Only the first side has it.
    Gone,
    /// One side could not see it.
    Unknown,
}

/// One count on both sides.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Change {
    /// What became of it.
    pub status: Status,
    /// Entries per run of the first side, or null if it could not see them.
    pub before: Option<Spread>,
    /// Entries per run of the second side, or null if it could not see them.
    pub after: Option<Spread>,
    /// The second less the first, in the comparison's basis; null if not known.
    pub difference: Option<f64>,
    /// The second by the first, in the comparison's basis; null if not known or
    /// the first is 0.
    pub ratio: Option<f64>,
    /// In proportion to time, or null if not known.
    pub per_second: Option<Rates>,
    /// In proportion to I/Os, or null if not known.
    pub per_million_ios: Option<Rates>,
    /// What chance has to do with it, in the comparison's basis; null with a
    /// single run of a side, or where all runs are the same.
    pub judgement: Option<Judgement>,
}

/// Medians of a proportion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Rates {
    /// Of the first side.
    pub before: f64,
    /// Of the second side.
    pub after: f64,
    /// The second less the first.
    pub difference: f64,
}

/// Entries of a cause.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CauseChange {
    /// As in the profile, or `all`.
    pub cause: CauseName,
    /// As in the profile, or `(all)`.
    pub detail: String,
    /// How many.
    pub change: Change,
}

/// Entries by one place in the program: matched by function and file, not by
/// address.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct CodeChange {
    /// As in the profile.
    pub cause: CauseName,
    /// As in the profile.
    pub detail: String,
    /// The function; without a name, where it is in its module.
    pub code: String,
    /// Where it is on the first side, or null if that is not known.
    pub place_before: Option<Place>,
    /// Where it is on the second side, or null if that is not known.
    pub place_after: Option<Place>,
    /// Whether it is in another place on the second side.
    pub moved: bool,
    /// How many.
    pub change: Change,
}

/// A place in the source.
#[derive(
    Clone,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
pub struct Place {
    /// The file's own name.
    pub file: String,
    /// The line, or null if that is not known.
    pub line: Option<u32>,
}

/// Entries of the threads of one name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ThreadChange {
    /// The name. A `*` stands for numbers that differ from run to run.
    pub name: String,
    /// Threads of that name on the first side.
    pub threads_before: Spread,
    /// Threads of that name on the second side.
    pub threads_after: Spread,
    /// How many.
    pub change: Change,
}

/// Page faults of the mappings of one kind and origin.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct MappingChange {
    /// As in the profile.
    pub kind: String,
    /// The file, the code that made it, or its size.
    pub what: String,
    /// How many.
    pub change: Change,
}
