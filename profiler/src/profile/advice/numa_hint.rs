//! Memory whose pages the kernel takes away now and then to see who uses them.

use profiler_common::cause::CauseKind;

use super::evidence::{advice, entries, in_mapping, when};
use crate::{
    digits::count,
    profile::model::{Advice, Profile},
};

const KINDS: [&str; 1] = ["numa_hint"];

pub(super) fn rule(profile: &Profile) -> Vec<Advice> {
    let faults = entries(profile, CauseKind::PageFault, &KINDS);
    if faults == 0 {
        return Vec::new();
    }
    let where_ = in_mapping(profile, &KINDS);
    vec![advice(
        profile,
        faults,
        "NUMA balancing takes pages away to see which node uses them".to_owned(),
        format!(
            "{} NUMA-hint page faults {} on a machine of {} nodes{where_}",
            count(faults),
            when(profile),
            profile.host.numa_nodes
        ),
        "bind the program to one node (numactl --cpunodebind=N --membind=N, or set_mempolicy with \
         MPOL_BIND), or switch kernel.numa_balancing off; populating the memory beforehand does \
         not help, since these pages are there"
            .to_owned(),
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::advice::testing::steady;

    /// Binding, and not prefaulting.
    #[test]
    fn binds_and_does_not_prefault() {
        let found = rule(&steady(&[("page_fault", "numa_hint", 10_000)]));
        assert_eq!(found[0].saves, 10_000);
        assert!(found[0].fix.contains("numactl"), "{found:?}");
        assert!(!found[0].fix.contains("MAP_POPULATE"), "{found:?}");
        assert_eq!(rule(&steady(&[("page_fault", "first_touch", 10_000)])), []);
    }
}
