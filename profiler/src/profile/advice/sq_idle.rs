//! A submission thread that falls asleep and has to be woken.

use super::evidence::advice;
use crate::{
    digits::count,
    profile::model::{Advice, Profile},
};

pub(super) fn rule(profile: &Profile) -> Vec<Advice> {
    let Some(io) = &profile.io else {
        return Vec::new();
    };
    let wakeups = io.polling.wakeups;
    if wakeups == 0 {
        return Vec::new();
    }
    vec![advice(
        profile,
        wakeups,
        "the submission thread falls asleep and has to be woken by a system call".to_owned(),
        format!(
            "{} calls of io_uring_enter with IORING_ENTER_SQ_WAKEUP in steady state",
            count(wakeups)
        ),
        "raise sq_thread_idle of the ring above the longest pause between submissions, and give \
         the thread a CPU of its own (sq_thread_cpu with IORING_SETUP_SQ_AFF)"
            .to_owned(),
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::advice::testing::with_io;

    /// Wake-ups, and nothing else.
    #[test]
    fn needs_wakeups() {
        let mut profile = with_io(&[], &["SQPOLL"]);
        assert_eq!(rule(&profile), []);
        if let Some(io) = &mut profile.io {
            io.polling.wakeups = 12;
        }
        assert_eq!(rule(&profile)[0].saves, 12);
    }
}
