//! Completions of an io_uring that interrupt the thread they are for.

use profiler_common::{cause::CauseKind, vector::Vector};

use super::evidence::{advice, entries, when};
use crate::{
    digits::count,
    profile::model::{Advice, Profile},
};

/// Ring flags with which completions do not interrupt the submitter.
const QUIET: [&str; 3] = ["SQPOLL", "COOP_TASKRUN", "DEFER_TASKRUN"];

pub(super) fn rule(profile: &Profile) -> Vec<Advice> {
    let interrupts = entries(profile, CauseKind::Interrupt, &[Vector::Reschedule.name()]);
    let calls = entries(profile, CauseKind::Syscall, &["io_uring_enter"]);
    let flags = profile.io.as_ref().map(|io| io.flags.as_slice());
    let is_quiet = flags
        .unwrap_or_default()
        .iter()
        .any(|flag| QUIET.contains(&flag.as_str()));
    // With a submission thread the program hardly ever calls: then it is
    // something else that reschedules.
    if interrupts == 0 || calls == 0 || is_quiet {
        return Vec::new();
    }
    let flags = flags.map_or_else(
        || "the ring's flags are not known".to_owned(),
        |flags| format!("the ring's flags are {}", flags.join(", ")),
    );
    vec![advice(
        profile,
        interrupts,
        "completions interrupt the thread that waits for them".to_owned(),
        format!(
            "{} reschedule interrupts beside {} calls of io_uring_enter {}; {flags}",
            count(interrupts),
            count(calls),
            when(profile)
        ),
        "set the ring up with IORING_SETUP_COOP_TASKRUN (Linux 5.19) or \
         IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN (6.1), or let the kernel submit \
         (IORING_SETUP_SQPOLL)"
            .to_owned(),
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::advice::testing::{steady, with_io};

    const ROWS: [(&str, &str, u64); 2] = [
        ("interrupt", "reschedule", 30),
        ("syscall", "io_uring_enter", 4000),
    ];

    /// Takes a ring, and one whose completions interrupt.
    #[test]
    fn needs_an_interrupting_ring() {
        assert_eq!(rule(&with_io(&ROWS, &["IOPOLL"]))[0].saves, 30);
        assert_eq!(rule(&steady(&ROWS))[0].saves, 30);
        assert_eq!(rule(&with_io(&ROWS, &["COOP_TASKRUN"])), []);
        assert_eq!(rule(&steady(&ROWS[..1])), []);
    }
}
