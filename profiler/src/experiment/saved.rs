//! How an experiment's document writes two variants side by side.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{
    compare::model::{CauseChange, Change, Costs, MetricChange, Per, SidePair, Status},
    named::CauseName,
};

/// Two variants side by side. Counts are entries per run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Comparison {
    /// The first variant's name.
    #[serde(default)]
    before: String,
    /// The other one's.
    #[serde(default)]
    after: String,
    /// What follows from it, in words.
    #[serde(default)]
    conclusion: String,
    /// Whether `totals` are of the marked steady state, or of whole runs; null in
    /// documents of older writers.
    #[serde(default)]
    is_steady: Option<bool>,
    /// What ratios and differences of steady state are in proportion to.
    #[serde(default, with = "crate::compare::per::prefixed")]
    #[schemars(schema_with = "crate::compare::per::prefixed::schema")]
    steady_basis: Per,
    /// What ratios and differences of whole runs are in proportion to.
    #[serde(default, with = "crate::compare::per::prefixed")]
    #[schemars(schema_with = "crate::compare::per::prefixed::schema")]
    whole_basis: Per,
    /// All entries, and those by cause over all details, in steady state if one was
    /// marked.
    #[serde(default)]
    totals: Vec<CauseComparison>,
    /// Entries in steady state, by cause and detail.
    steady: Vec<CauseComparison>,
    /// Entries in the whole run, by cause and detail.
    whole: Vec<CauseComparison>,
    /// Throughput, latency and cost.
    metrics: Vec<MetricChange>,
    /// What the second variant costs.
    #[serde(default)]
    costs: Costs,
}

/// Entries of one cause in two variants.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
struct CauseComparison {
    /// As in the profile, or `all`.
    cause: CauseName,
    /// As in the profile, or `(all)`.
    detail: String,
    /// How many.
    #[serde(flatten)]
    change: Change,
}

impl From<&CauseChange> for CauseComparison {
    fn from(row: &CauseChange) -> Self {
        Self {
            cause: row.cause.clone(),
            detail: row.detail.clone(),
            change: row.change.clone(),
        }
    }
}

impl From<CauseComparison> for CauseChange {
    fn from(row: CauseComparison) -> Self {
        let mut change = row.change;
        // Earlier versions wrote neither of them, and always compared per run.
        if let (Some(before), Some(after), None) = (change.before, change.after, change.difference)
        {
            change.difference = Some(after.median - before.median);
            change.status = match (before.max > 0.0, after.max > 0.0) {
                _ if before == after => Status::Same,
                (false, _) => Status::New,
                (_, false) => Status::Gone,
                (true, true) => Status::Changed,
            };
        }
        Self {
            cause: row.cause,
            detail: row.detail,
            change,
        }
    }
}

impl From<&SidePair> for Comparison {
    fn from(pair: &SidePair) -> Self {
        let rows = |rows: &[CauseChange]| rows.iter().map(CauseComparison::from).collect();
        Self {
            before: pair.before.clone(),
            after: pair.after.clone(),
            conclusion: pair.verdict.clone(),
            is_steady: Some(pair.steady),
            steady_basis: pair.steady_basis,
            whole_basis: pair.whole_basis,
            totals: rows(&pair.totals),
            steady: rows(&pair.by_cause_steady),
            whole: rows(&pair.by_cause),
            metrics: pair.metrics.clone(),
            costs: pair.costs,
        }
    }
}

impl From<Comparison> for SidePair {
    fn from(saved: Comparison) -> Self {
        let rows = |rows: Vec<CauseComparison>| rows.into_iter().map(CauseChange::from).collect();
        Self {
            before: saved.before,
            after: saved.after,
            verdict: saved.conclusion,
            steady: saved.is_steady.unwrap_or(!saved.steady.is_empty()),
            steady_basis: saved.steady_basis,
            whole_basis: saved.whole_basis,
            totals: rows(saved.totals),
            by_cause_steady: rows(saved.steady),
            by_cause: rows(saved.whole),
            metrics: saved.metrics,
            costs: saved.costs,
            ..Self::default()
        }
    }
}

/// One pair.
pub(super) mod one {
    use super::{Comparison, Deserialize, Deserializer, Serialize, Serializer, SidePair};

    pub(in super::super) fn serialize<S: Serializer>(
        pair: &SidePair,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        Comparison::from(pair).serialize(out)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<SidePair, D::Error> {
        Comparison::deserialize(input).map(SidePair::from)
    }
}

/// Several pairs.
pub(super) mod several {
    use super::{Comparison, Deserialize, Deserializer, Serializer, SidePair};

    pub(in super::super) fn serialize<S: Serializer>(
        pairs: &[SidePair],
        out: S,
    ) -> Result<S::Ok, S::Error> {
        out.collect_seq(pairs.iter().map(Comparison::from))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<Vec<SidePair>, D::Error> {
        let saved = Vec::<Comparison>::deserialize(input)?;
        Ok(saved.into_iter().map(SidePair::from).collect())
    }
}
