//! All rules, in one place.

use std::cmp::Reverse;

use super::{
    clock_source, copy_on_write, first_touch, major_fault, numa_hint, poll_queues, shootdown,
    sq_idle, stray_syscall, task_work, tick,
};
use crate::profile::model::{Advice, Profile};

/// What a rule finds in a profile: nothing, mostly.
type Rule = fn(&Profile) -> Vec<Advice>;

const RULES: [Rule; 11] = [
    first_touch::rule,
    numa_hint::rule,
    copy_on_write::rule,
    major_fault::rule,
    clock_source::rule,
    task_work::rule,
    sq_idle::rule,
    poll_queues::rule,
    tick::rule,
    shootdown::rule,
    stray_syscall::rule,
];

/// What saves less than one of this many entries that matter is not spoken of.
const WORTH_SAVING: u64 = 100;

/// Without a steady state, entries that are fewer than this may be those of a
/// program's start, and of a few children's: nobody can do without them.
const START_UP: u64 = 500;

/// Everything that the profile has evidence for, what saves most first. What
/// saves none of the thread's entries, but interrupts elsewhere, comes last.
#[must_use]
pub fn all(profile: &Profile) -> Vec<Advice> {
    let steady = profile.ledger.rates.steady_total;
    let total = steady.unwrap_or(profile.ledger.total);
    let least = if steady.is_some() { 0 } else { START_UP };
    let mut advice: Vec<Advice> = RULES
        .iter()
        .flat_map(|rule| rule(profile))
        .filter(|advice| {
            let is_worth_it = advice.saves.saturating_mul(WORTH_SAVING) >= total;
            advice.saves == 0 || (is_worth_it && advice.saves >= least)
        })
        .collect();
    advice.sort_by_key(|advice| Reverse(advice.saves));
    advice
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::advice::testing::{steady, unmarked, with_io};

    /// An empty profile is given no advice.
    #[test]
    fn nothing_without_evidence() {
        assert_eq!(all(&steady(&[])), []);
        assert_eq!(all(&with_io(&[], &["SQPOLL", "IOPOLL"])), []);
    }

    /// A program's start is no reason for advice, and a long run's faults are.
    #[test]
    fn starting_up_is_not_spoken_of() {
        let rows = |faults| {
            [
                ("page_fault", "copy_on_write", faults),
                ("page_fault", "file_major", faults / 4),
                ("syscall", "mmap", 20),
            ]
        };
        assert_eq!(all(&unmarked(&rows(60))), []);
        assert_eq!(all(&unmarked(&rows(50_000))).len(), 2);
        assert_eq!(all(&steady(&rows(60))).len(), 3);
    }

    /// What saves most comes first, and what saves next to nothing not at all.
    #[test]
    fn sorted_by_saving() {
        let profile = steady(&[
            ("syscall", "futex", 15),
            ("syscall", "read", 5),
            ("page_fault", "numa_hint", 900),
            ("page_fault", "first_touch", 70),
        ]);
        let saves: Vec<u64> = all(&profile).iter().map(|advice| advice.saves).collect();
        assert_eq!(saves, [900, 70, 15]);
    }
}
