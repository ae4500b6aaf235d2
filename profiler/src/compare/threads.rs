//! Two sides by the names of their threads.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    basis::Measure,
    change::{change, weight},
    model::{Spread, ThreadChange},
    side::Group,
};
use crate::profile::ledger::as_float;

/// Threads and their entries, of each run.
type Table = BTreeMap<String, (Vec<u64>, Vec<u64>)>;

/// By name, the largest difference first.
#[must_use]
pub fn changes(before: &Group, after: &Group, measure: &Measure) -> Vec<ThreadChange> {
    let (first, second) = (names(before), names(after));
    let shared: BTreeSet<&str> = first.intersection(&second).copied().collect();
    let (first, second) = (table(before, &shared), table(after, &shared));
    let names: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
    let mut rows: Vec<ThreadChange> = names
        .into_iter()
        .map(|name| {
            let nobody = |group: &Group| {
                let none = vec![0; group.profiles.len()];
                (none.clone(), none)
            };
            let before = first.get(name).cloned().unwrap_or_else(|| nobody(before));
            let after = second.get(name).cloned().unwrap_or_else(|| nobody(after));
            ThreadChange {
                name: name.clone(),
                threads_before: spread(&before.0),
                threads_after: spread(&after.0),
                change: change(&Some(before.1), &Some(after.1), measure),
            }
        })
        .collect();
    rows.sort_by(|a, b| weight(&b.change).total_cmp(&weight(&a.change)));
    rows
}

fn spread(values: &[u64]) -> Spread {
    Spread::of(values.iter().copied().map(as_float)).unwrap_or_default()
}

fn names(group: &Group) -> BTreeSet<&str> {
    let threads = group.profiles.iter().flat_map(|run| &run.ledger.by_thread);
    threads.map(|thread| thread.comm.as_str()).collect()
}

fn table(group: &Group, shared: &BTreeSet<&str>) -> Table {
    let runs = group.profiles.len();
    let mut table = Table::new();
    for (run, profile) in group.profiles.iter().enumerate() {
        for thread in &profile.ledger.by_thread {
            let name = if shared.contains(thread.comm.as_str()) {
                thread.comm.clone()
            } else {
                without_numbers(&thread.comm)
            };
            let (threads, entries) = table
                .entry(name)
                .or_insert_with(|| (vec![0; runs], vec![0; runs]));
            if let (Some(threads), Some(entries)) = (threads.get_mut(run), entries.get_mut(run)) {
                *threads = threads.saturating_add(1);
                *entries = entries.saturating_add(thread.total);
            }
        }
    }
    table
}

/// A name such as `iou-sqp-4711` has a number that is another one in each run.
fn without_numbers(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    for letter in name.chars() {
        if !letter.is_ascii_digit() {
            plain.push(letter);
        } else if !plain.ends_with('*') {
            plain.push('*');
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every number is one star, and what has none stays as it is.
    #[test]
    fn numbers_are_stars() {
        assert_eq!(without_numbers("iou-sqp-4711"), "iou-sqp-*");
        assert_eq!(without_numbers("w1-22"), "w*-*");
        assert_eq!(without_numbers("main"), "main");
    }
}
