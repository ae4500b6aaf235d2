//! Pages that are copied at the first write to them.

use profiler_common::cause::CauseKind;

use super::evidence::{advice, entries, when};
use crate::{
    digits::count,
    profile::model::{Advice, Profile},
};

/// System calls that share all of a process's memory with a child.
const FORKS: [&str; 3] = ["fork", "clone", "clone3"];

pub(super) fn rule(profile: &Profile) -> Vec<Advice> {
    let faults = entries(profile, CauseKind::PageFault, &["copy_on_write"]);
    if faults == 0 {
        return Vec::new();
    }
    // A fork during set-up makes the faults of steady state.
    let rows = profile.ledger.by_cause.iter();
    let forks: u64 = rows
        .filter(|row| row.cause == CauseKind::Syscall.name())
        .filter(|row| FORKS.contains(&row.detail.as_str()))
        .map(|row| row.count)
        .sum();
    let (evidence, fix) = if forks == 0 {
        (
            "no fork in this run".to_owned(),
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
            "{} copy-on-write page faults {}, {evidence}",
            count(faults),
            when(profile)
        ),
        fix.to_owned(),
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::advice::testing::steady;

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
}
