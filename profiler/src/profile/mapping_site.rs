//! Who made a mapping that page faults hit, and what file it is of. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    allocation::{Site, allocation_of},
    model::MappingRow,
};
use crate::collect::{mappings::data::Found, snapshot::Snapshot};

/// Mappings whose makers are looked for: those with the most faults.
pub(super) const MOST_ROWS: usize = 64;
/// Pages of a mapping that are asked who made them.
const SAMPLE: usize = 32;

/// Pages that stand for all, from one end to the other.
pub(super) fn sample(pages: &BTreeSet<u64>) -> Vec<u64> {
    let step = pages.len().div_ceil(SAMPLE).max(1);
    pages.iter().copied().step_by(step).collect()
}

/// Fills in where a mapping comes from, as far as its faulting pages tell. What
/// the kernel sees as one mapping may have been made by several calls: then the
/// one that most of the pages are from is named, and that there are others.
pub(super) fn name(snapshot: &Snapshot, row: &mut MappingRow, pages: &[u64]) {
    if row.path.is_some() {
        row.path = full_path(snapshot, row.tgid, pages).or_else(|| row.path.take());
        return;
    }
    let mut sites: BTreeMap<String, (usize, Site)> = BTreeMap::new();
    for &page in pages {
        if let Some(site) = allocation_of(snapshot, row.tgid, page, None) {
            sites.entry(site.words.clone()).or_insert((0, site)).0 += 1;
        }
    }
    let others = sites.len().saturating_sub(1);
    if let Some((_, site)) = sites.into_values().max_by_key(|(pages, _)| *pages) {
        row.allocated_at = Some(match others {
            0 => site.words,
            _ => format!("{}, and {others} other places", site.words),
        });
        row.allocation_stack = Some(site.stack);
    }
}

/// The programs keep a file's last name only; the kernel's records have the path.
fn full_path(snapshot: &Snapshot, tgid: u32, pages: &[u64]) -> Option<String> {
    let Found::One(mapping) = snapshot.mappings.find(tgid, *pages.first()?, None) else {
        return None;
    };
    (!mapping.path.is_empty()).then(|| mapping.path.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However many pages, both ends are among those that are asked.
    #[test]
    fn samples_reach_from_end_to_end() {
        let few: BTreeSet<u64> = (0..5).collect();
        assert_eq!(sample(&few), [0, 1, 2, 3, 4]);
        let many: BTreeSet<u64> = (0..10_000).collect();
        let sampled = sample(&many);
        assert!(sampled.len() <= SAMPLE);
        assert_eq!(sampled.first(), Some(&0));
        assert!(sampled.last() >= Some(&9_600));
        assert!(sample(&BTreeSet::new()).is_empty());
    }
}
