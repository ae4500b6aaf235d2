//! Reading the time by a system call.

use profiler_common::cause::CauseKind;

use super::evidence::{advice, entries, when};
use crate::{
    digits::count,
    profile::model::{Advice, Profile},
};

/// Calls that the C library answers without the kernel where it can.
pub(super) const CALLS: [&str; 4] = ["clock_gettime", "gettimeofday", "time", "clock_getres"];

/// Clock sources that user mode can read: with them, a call has asked for a
/// clock that is not to be had that way, and no setting helps.
const READABLE: [&str; 3] = ["tsc", "kvm-clock", "hyperv_clocksource_tsc_page"];

pub(super) fn rule(profile: &Profile) -> Vec<Advice> {
    let calls = entries(profile, CauseKind::Syscall, &CALLS);
    let source = profile.host.clocksource.as_deref();
    let Some(source) = source.filter(|source| !READABLE.contains(source)) else {
        return Vec::new();
    };
    if calls == 0 {
        return Vec::new();
    }
    vec![advice(
        profile,
        calls,
        "reading the time enters the kernel".to_owned(),
        format!(
            "{} calls {}; the clock source is {source}, which user mode cannot read",
            count(calls),
            when(profile)
        ),
        "make the kernel use the time stamp counter (clocksource=tsc tsc=reliable on its command \
         line, if the machine's can be trusted), and look in dmesg why it gave it up"
            .to_owned(),
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::advice::testing::steady;

    /// The clock source is to blame only if user mode cannot read it.
    #[test]
    fn needs_an_unreadable_clock() {
        let mut profile = steady(&[("syscall", "clock_gettime", 500)]);
        profile.host.clocksource = Some("hpet".to_owned());
        assert_eq!(rule(&profile)[0].saves, 500);
        for readable in [Some("tsc".to_owned()), None] {
            profile.host.clocksource = readable;
            assert_eq!(rule(&profile), []);
        }
    }
}
