//! Memory that has to be read from a device.

use profiler_common::cause::CauseKind;

use super::evidence::{advice, entries, in_mapping, when};
use crate::{
    digits::count,
    profile::model::{Advice, Profile},
};

pub(super) fn rule(profile: &Profile) -> Vec<Advice> {
    let file = entries(profile, CauseKind::PageFault, &["file_major"]);
    let swap = entries(profile, CauseKind::PageFault, &["swap_in"]);
    let all = file.saturating_add(swap);
    if all == 0 {
        return Vec::new();
    }
    let where_ = in_mapping(profile, &["file_major", "swap_in"]);
    let fix = if swap > file {
        "lock the memory (mlock, mlockall), or give the program's group memory.swap.max=0, or take \
         swap away"
    } else {
        "read the file in beforehand (MAP_POPULATE, madvise(MADV_WILLNEED), readahead) and keep it \
         (mlock)"
    };
    vec![advice(
        profile,
        all,
        "memory is read from a device at the moment it is needed".to_owned(),
        format!(
            "{} page faults read a file and {} read swap space {}{where_}",
            count(file),
            count(swap),
            when(profile)
        ),
        fix.to_owned(),
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::advice::testing::steady;

    /// Files are read in, swap is locked out.
    #[test]
    fn files_and_swap() {
        let file = rule(&steady(&[("page_fault", "file_major", 3)]));
        assert!(file[0].fix.contains("readahead"), "{file:?}");
        let swap = rule(&steady(&[("page_fault", "swap_in", 3)]));
        assert!(swap[0].fix.contains("memory.swap.max"), "{swap:?}");
        assert_eq!(rule(&steady(&[("page_fault", "file_minor", 3)])), []);
    }
}
