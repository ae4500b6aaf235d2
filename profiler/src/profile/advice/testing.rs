//! Profiles to try rules on.

use std::collections::BTreeMap;

use workload::summary::IoSummary;

use crate::{
    profile::{
        build,
        model::{CauseRow, Profile},
        rates::STEADY_NAME,
    },
    symbolize::measurement::Measurement,
};

/// A profile of a program that marked its steady state, with these entries in
/// it: cause, detail, count.
pub(super) fn steady(rows: &[(&str, &str, u64)]) -> Profile {
    let mut profile = unmarked(rows);
    profile.ledger.rates.steady_total = Some(profile.ledger.total);
    profile
}

/// The same of a program that marked nothing.
pub(super) fn unmarked(rows: &[(&str, &str, u64)]) -> Profile {
    let mut profile = build::profile(&Measurement::default());
    profile.ledger.by_cause = rows
        .iter()
        .map(|&(cause, detail, count)| CauseRow {
            cause: cause.into(),
            detail: detail.to_owned(),
            count,
            phases: BTreeMap::from([(STEADY_NAME.to_owned(), count)]),
            ..CauseRow::default()
        })
        .collect();
    profile.ledger.total = rows.iter().map(|&(_, _, count)| count).sum();
    profile
}

/// As the first, of a program that told of a ring with these flags.
pub(super) fn with_io(rows: &[(&str, &str, u64)], flags: &[&str]) -> Profile {
    let mut profile = steady(rows);
    profile.io = Some(IoSummary {
        flags: flags.iter().map(|&flag| flag.to_owned()).collect(),
        ..IoSummary::default()
    });
    profile
}
