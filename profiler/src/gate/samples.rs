//! Profiles for tests.

use std::collections::BTreeMap;

use super::judge::Named;
use crate::{
    profile::{
        build,
        model::{CauseRow, PhaseTime, Profile, ThreadCauseRow, ThreadRow},
    },
    symbolize::measurement::Measurement,
};

/// Entries of a cause and a detail in a phase.
pub(crate) type Entry = (&'static str, &'static str, &'static str, u64);

/// A whole and exact run of a second, half of it steady, of one thread.
pub(crate) fn profile(entries: &[Entry]) -> Profile {
    let mut profile = build::profile(&Measurement::default());
    profile.accounting.unavailable.clear();
    profile.target.command = vec!["poller".to_owned()];
    profile.exit.code = Some(0);
    profile.window.duration_ns = 1_000_000_000;
    profile.window.phases = ["setup", "steady"]
        .into_iter()
        .zip(1..)
        .map(|(name, number)| PhaseTime {
            number,
            name: name.to_owned(),
            duration_ns: Some(500_000_000),
            untimed: None,
            exact: true,
        })
        .collect();
    let mut rows: BTreeMap<(&str, &str), CauseRow> = BTreeMap::new();
    for &(cause, detail, phase, count) in entries {
        let row = rows.entry((cause, detail)).or_insert_with(|| CauseRow {
            cause: cause.into(),
            detail: detail.to_owned(),
            ..CauseRow::default()
        });
        row.count = row.count.saturating_add(count);
        let of_phase = row.phases.entry(phase.to_owned()).or_default();
        *of_phase = of_phase.saturating_add(count);
    }
    profile.ledger.by_cause = rows.into_values().collect();
    let of_thread = profile.ledger.by_cause.iter().map(|row| ThreadCauseRow {
        cause: row.cause.clone(),
        detail: row.detail.clone(),
        count: row.count,
        phases: row.phases.clone(),
        purposes: Vec::new(),
    });
    profile.ledger.by_thread = vec![ThreadRow {
        comm: "poller".to_owned(),
        by_cause: of_thread.collect(),
        ..ThreadRow::default()
    }];
    profile
}

/// Runs called `run 1` and so on.
pub(crate) fn named(profiles: impl IntoIterator<Item = Profile>) -> Vec<Named> {
    profiles
        .into_iter()
        .zip(1..)
        .map(|(profile, number)| Named {
            name: format!("run {number}"),
            profile,
        })
        .collect()
}
