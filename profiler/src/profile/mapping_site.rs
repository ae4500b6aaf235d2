//! Who made a mapping that page faults hit, and what file it is of. Pure.

use std::collections::BTreeMap;

use super::{
    allocation::{Makers, Site},
    model::MappingRow,
};
use crate::collect::mappings::data::{Found, MappingIndex};

/// Mappings whose makers are looked for: those with the most faults.
pub(super) const MOST_ROWS: usize = 64;
/// Pages of a mapping that are asked who made them.
const SAMPLE: usize = 32;

/// Pages that stand for all, from one end to the other, and their faults.
pub(super) fn sample(pages: &BTreeMap<u64, u64>) -> Vec<(u64, u64)> {
    let step = pages.len().div_ceil(SAMPLE).max(1);
    let pages = pages.iter().map(|(&page, &faults)| (page, faults));
    pages.step_by(step).collect()
}

/// Fills in where a mapping comes from, as far as its faulting pages tell. What
/// the kernel sees as one mapping may have been made by several calls: then the
/// one that most of the faults are from is named, and that there are others.
pub(super) fn name(makers: &Makers<'_>, row: &mut MappingRow, pages: &[(u64, u64)]) {
    if row.path.is_some() {
        row.path = full_path(&makers.mappings, row.tgid, pages).or_else(|| row.path.take());
        return;
    }
    let mut sites: BTreeMap<String, (u64, Site)> = BTreeMap::new();
    for &(page, faults) in pages {
        if let Some(site) = makers.find(row.tgid, page, None) {
            sites.entry(site.words.clone()).or_insert((0, site)).0 += faults;
        }
    }
    let others = sites.len().saturating_sub(1);
    if let Some((_, site)) = sites.into_values().max_by_key(|(faults, _)| *faults) {
        row.allocated_at = Some(match others {
            0 => site.words,
            _ => format!("{}, and {others} other places", site.words),
        });
        row.allocation_stack = Some(site.stack);
    }
}

/// The programs keep a file's last name only; the kernel's records have the path.
fn full_path(mappings: &MappingIndex<'_>, tgid: u32, pages: &[(u64, u64)]) -> Option<String> {
    let Found::One(mapping) = mappings.find(tgid, pages.first()?.0, None) else {
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
        let pages = |count: u64| (0..count).map(|page| (page, 1)).collect();
        let firsts = |sampled: &[(u64, u64)]| sampled.iter().map(|page| page.0).collect::<Vec<_>>();
        assert_eq!(firsts(&sample(&pages(5))), [0, 1, 2, 3, 4]);
        let sampled = firsts(&sample(&pages(10_000)));
        assert!(sampled.len() <= SAMPLE);
        assert_eq!(sampled.first(), Some(&0));
        assert!(sampled.last() >= Some(&9_600));
        assert!(sample(&pages(0)).is_empty());
    }
}
