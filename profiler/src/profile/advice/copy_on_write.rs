//! Pages that are copied at the first write to them.

use profiler_common::cause::CauseKind;

use super::evidence::{advice, busiest_mapping, entries, has_steady, in_mapping, of_kinds, when};
use crate::{
    digits::count,
    profile::model::{Advice, Profile},
};

const KINDS: [&str; 1] = ["copy_on_write"];

/// System calls that share all of a process's memory with a child.
const FORKS: [&str; 3] = ["fork", "clone", "clone3"];

pub(super) fn rule(profile: &Profile) -> Vec<Advice> {
    let mut faults = entries(profile, CauseKind::PageFault, &KINDS);
    if !has_steady(profile) {
        // A loader writes to the data of each library that it maps.
        faults = faults.saturating_sub(of_files(profile));
    }
    if faults == 0 {
        return Vec::new();
    }
    // A fork during set-up makes the faults of steady state.
    let rows = profile.ledger.by_cause.iter();
    let forks: u64 = rows
        .filter(|row| row.cause == CauseKind::Syscall)
        .filter(|row| FORKS.contains(&row.detail.as_str()))
        .map(|row| row.count)
        .fold(0, u64::saturating_add);
    let found = busiest_mapping(profile, &KINDS);
    let is_file = found.is_some_and(|row| row.kind == "file");
    let (evidence, fix) = if forks == 0 || is_file {
        let forks = match forks {
            0 => "no fork in this run".to_owned(),
            _ => "of a file, whoever forked".to_owned(),
        };
        (
            forks,
            "write once to every page of private file mappings and of memory that was only read \
             so far, before steady state",
        )
    } else {
        (
            format!(
                "{} calls of fork, clone or clone3 in this run",
                count(forks)
            ),
            "where those are forks: fork before the memory is filled, or keep the memory out of \
             the child with madvise(MADV_DONTFORK), or start the child with vfork or posix_spawn",
        )
    };
    vec![advice(
        profile,
        faults,
        "pages are copied at the first write to them".to_owned(),
        format!(
            "{} copy-on-write page faults {}, {evidence}{}",
            count(faults),
            when(profile),
            in_mapping(profile, &KINDS)
        ),
        fix.to_owned(),
    )]
}

/// Those of pages of files.
fn of_files(profile: &Profile) -> u64 {
    let rows = profile.memory.by_mapping.iter();
    rows.filter(|row| row.kind == "file")
        .map(|row| of_kinds(row, &KINDS))
        .fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{
        advice::testing::{steady, unmarked},
        model::MappingRow,
    };

    /// Forks are blamed only where there were any.
    #[test]
    fn blames_forks_that_happened() {
        let without = rule(&steady(&[("page_fault", "copy_on_write", 40)]));
        assert!(!without[0].fix.contains("MADV_DONTFORK"), "{without:?}");
        let with = rule(&steady(&[
            ("page_fault", "copy_on_write", 40),
            ("syscall", "fork", 1),
        ]));
        assert!(with[0].fix.contains("MADV_DONTFORK"), "{with:?}");
        assert_eq!(rule(&steady(&[("syscall", "fork", 1)])), []);
    }

    /// What the loader copies of files is not the program's, unless it is in steady
    /// state.
    #[test]
    fn the_loader_is_left_out() {
        let rows = [("page_fault", "copy_on_write", 4_000)];
        let mut profile = unmarked(&rows);
        profile.memory.by_mapping.push(MappingRow {
            kind: "file".to_owned(),
            by_kind: [("copy_on_write".to_owned(), 4_000)].into(),
            ..MappingRow::default()
        });
        assert_eq!(rule(&profile), []);
        profile.memory.by_mapping[0].by_kind = [("copy_on_write".to_owned(), 1_000)].into();
        assert_eq!(rule(&profile)[0].saves, 3_000);
    }

    /// Pages of a program's file are copied for its own writes, and no child's.
    #[test]
    fn files_are_not_blamed_on_forks() {
        let mut profile = steady(&[("page_fault", "copy_on_write", 40), ("syscall", "fork", 1)]);
        profile.memory.by_mapping.push(MappingRow {
            kind: "file".to_owned(),
            path: Some("/usr/bin/fio".to_owned()),
            by_kind: [("copy_on_write".to_owned(), 40)].into(),
            ..MappingRow::default()
        });
        let found = rule(&profile);
        assert!(found[0].fix.contains("private file mappings"), "{found:?}");
        assert!(found[0].evidence.contains("/usr/bin/fio"), "{found:?}");
    }
}
