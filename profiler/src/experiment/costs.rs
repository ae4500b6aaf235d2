//! What a variant costs beside the first one. Pure.

use super::model::{Costs, Metric};
use crate::{
    profile::{ledger::as_float, model::Profile},
    stats::bootstrap::median,
};

/// Bytes of a page, on the processors that modeswitch runs on.
const PAGE_BYTES: f64 = 4096.0;

/// The costs of the second variant.
#[must_use]
pub(super) fn of(before: &[Profile], after: &[Profile]) -> Costs {
    let more = |metric: Metric| {
        let after = median_of(after, |profile| metric.of(profile))?;
        Some(after - median_of(before, |profile| metric.of(profile))?)
    };
    let setup = more(Metric::SetupNs);
    let resident_bytes = more(Metric::ResidentBytes);
    let locked_bytes = more(Metric::LockedBytes);
    Costs {
        resident_bytes,
        locked_bytes,
        time_ns: setup.or_else(|| more(Metric::WallNs)),
        is_setup: setup.is_some(),
        unused_pages: median_of(after, unused_in_map).or_else(|| {
            // What the first variant never had in memory, the program does not use.
            let locked = |profiles| median_of(profiles, |one| Metric::LockedBytes.of(one));
            let is_more = locked(after)? > locked(before).unwrap_or(0.0);
            resident_bytes
                .filter(|_| is_more)
                .map(|bytes| (bytes / PAGE_BYTES).max(0.0))
        }),
    }
}

/// Pages of the in-tree workload's bitmap that were populated for nothing.
fn unused_in_map(profile: &Profile) -> Option<f64> {
    let map = &profile.io.as_ref()?.bitmap;
    let populated = map.pages_populated.filter(|&pages| pages != 0)?;
    Some(as_float(populated.saturating_sub(map.pages_touched)))
}

fn median_of(profiles: &[Profile], of: impl Fn(&Profile) -> Option<f64>) -> Option<f64> {
    let mut values: Vec<f64> = profiles.iter().map(of).collect::<Option<_>>()?;
    (!values.is_empty()).then(|| median(&mut values))
}
