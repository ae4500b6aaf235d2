//! Memory that is touched for the first time when it matters.

use profiler_common::cause::CauseKind;

use super::evidence::{advice, busiest_mapping, entries, has_steady, in_mapping};
use crate::{
    digits::count,
    profile::model::{Advice, Profile},
};

/// Faults that touching the pages beforehand would take.
const DETAILS: [&str; 2] = ["first_touch", "file_minor"];

pub(super) fn rule(profile: &Profile) -> Vec<Advice> {
    // In set-up, or where nobody knows what set-up is, memory has to be touched.
    if !has_steady(profile) {
        return Vec::new();
    }
    let faults = entries(profile, CauseKind::PageFault, &DETAILS);
    if faults == 0 {
        return Vec::new();
    }
    let found = busiest_mapping(profile, &DETAILS);
    let where_ = in_mapping(profile, &DETAILS);
    let fix = if found.is_some_and(|row| row.kind == "heap") {
        "call mlockall(MCL_CURRENT | MCL_FUTURE) before steady state, or write to every page of \
         the allocation once while setting up"
    } else {
        "map it with MAP_POPULATE, or call madvise(MADV_POPULATE_WRITE) (Linux 5.14) before steady \
         state, or mlockall(MCL_CURRENT | MCL_FUTURE) for everything at once"
    };
    vec![advice(
        profile,
        faults,
        "memory is touched for the first time in steady state".to_owned(),
        format!(
            "{} first-touch page faults in steady state{where_}",
            count(faults)
        ),
        fix.to_owned(),
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{
        advice::testing::{steady, unmarked},
        model::MappingRow,
    };

    /// Names the mapping, and what helps depends on what it is.
    #[test]
    fn names_the_mapping() {
        let mut profile = steady(&[("page_fault", "first_touch", 800)]);
        profile.memory.by_mapping.push(MappingRow {
            kind: "anonymous".to_owned(),
            bytes: 4 << 20,
            allocated_at: Some("axmap_new axmap.c:120".to_owned()),
            faults: 800,
            distinct_pages: 800,
            by_kind: [("first_touch".to_owned(), 800)].into(),
            ..MappingRow::default()
        });
        let found = rule(&profile);
        assert_eq!(found[0].saves, 800);
        assert!(found[0].evidence.contains("axmap_new"), "{found:?}");
        assert!(found[0].fix.contains("MAP_POPULATE"), "{found:?}");
        // More faults, but of another kind.
        profile.memory.by_mapping.push(MappingRow {
            kind: "heap".to_owned(),
            faults: 9_000,
            by_kind: [("numa_hint".to_owned(), 9_000)].into(),
            ..MappingRow::default()
        });
        assert!(rule(&profile)[0].evidence.contains("axmap_new"));
        profile.memory.by_mapping[0].kind = "heap".to_owned();
        assert!(!rule(&profile)[0].fix.contains("MAP_POPULATE"));
    }

    /// Kinds that are not known, other kinds, and programs without a steady
    /// state are no evidence.
    #[test]
    fn silent_without_evidence() {
        assert_eq!(rule(&steady(&[("page_fault", "unknown", 800)])), []);
        assert_eq!(rule(&steady(&[("page_fault", "numa_hint", 800)])), []);
        assert_eq!(rule(&unmarked(&[("page_fault", "first_touch", 800)])), []);
    }
}
