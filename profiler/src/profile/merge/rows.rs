//! Adding up tables.
//!
//! Sums saturate: they do not depend on the order in which they are made.

use std::collections::{BTreeMap, btree_map::Entry};

/// Adds rows to rows. Those with the same key become one, in the place of the
/// first.
pub(super) fn add_rows<R, K: Ord>(
    rows: &mut Vec<R>,
    more: Vec<R>,
    key: impl Fn(&R) -> K,
    mut add: impl FnMut(&mut R, R),
) {
    let mut places: BTreeMap<K, usize> = BTreeMap::new();
    for row in std::mem::take(rows).into_iter().chain(more) {
        match places.entry(key(&row)) {
            Entry::Vacant(free) => {
                free.insert(rows.len());
                rows.push(row);
            }
            Entry::Occupied(place) => {
                if let Some(known) = rows.get_mut(*place.get()) {
                    add(known, row);
                }
            }
        }
    }
}

/// Adds a count.
pub(super) fn add(sum: &mut u64, more: u64) {
    *sum = sum.saturating_add(more);
}

/// Adds counts by name.
pub(super) fn add_counts(sum: &mut BTreeMap<String, u64>, more: BTreeMap<String, u64>) {
    for (name, count) in more {
        add(sum.entry(name).or_default(), count);
    }
}

/// The sum of two counts, or null where one is not known.
pub(super) fn add_known(first: Option<u64>, second: Option<u64>) -> Option<u64> {
    Some(first?.saturating_add(second?))
}

/// Adds what is not there yet.
pub(super) fn add_new<T: PartialEq>(list: &mut Vec<T>, more: Vec<T>) {
    for item in more {
        if !list.contains(&item) {
            list.push(item);
        }
    }
}

/// What both have, as one; or nothing, if one has it not.
pub(super) fn both<T>(
    first: Option<T>,
    second: Option<T>,
    add: impl FnOnce(&mut T, T),
) -> Option<T> {
    let mut sum = first?;
    add(&mut sum, second?);
    Some(sum)
}
