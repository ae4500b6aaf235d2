//! Attaching what the counts do not depend on. A kernel that cannot run one of
//! these programs is told so in the accounting, and measures on.

use aya::Btf;

use super::{
    catalog::{Probe, Role},
    session::Session,
    settings::{FaultLevel, Filter, Settings},
};
use crate::kernel::numa::balancing_is_off;

/// Whether NUMA-hint faults are to be compared with the kernel's count of them: not
/// where there are none, and not for CPUs, which are nobody whose they could be.
#[must_use]
pub fn wants_numa_hints(settings: &Settings) -> bool {
    settings.filter == Filter::Threads
        && settings.faults != FaultLevel::Count
        && balancing_is_off().is_none()
}

/// Attaches the programs that tell interrupts apart, and those asked for.
pub(super) fn attach(session: &mut Session, probes: &[Probe], settings: &Settings, btf: &Btf) {
    if !session.probes.families.entry {
        session.attach_if_possible(probes, Role::Mark, btf);
    }
    session.attach_if_possible(probes, Role::Purpose, btf);
    if !session.attach_if_possible(probes, Role::Functions, btf) {
        session.attach_if_possible(probes, Role::PurposeFallback, btf);
    }
    if settings.extras.senders {
        session.attach_if_possible(probes, Role::Senders, btf);
        if session.probes.shows_senders() {
            session.attach_if_possible(probes, Role::Running, btf);
        }
    }
    if wants_numa_hints(settings) {
        session.attach_if_possible(probes, Role::NumaHints, btf);
    }
    if settings.extras.disturbance {
        session.attach_if_possible(probes, Role::Disturbance, btf);
    }
}
