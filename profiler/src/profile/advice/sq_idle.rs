//! A submission thread that falls asleep and has to be woken.

use super::evidence::advice;
use crate::{
    digits::count,
    profile::model::{Advice, Polling, Profile},
};

/// What helps.
const FIX: &str = "raise sq_thread_idle of the ring above the longest pause between submissions, and \
     give the thread a CPU of its own (sq_thread_cpu with IORING_SETUP_SQ_AFF)";

pub(super) fn rule(profile: &Profile) -> Vec<Advice> {
    match (&profile.io, &profile.polling) {
        (Some(io), _) => told(profile, io.polling.wakeups),
        (None, Some(polling)) => inferred(profile, polling),
        (None, None) => Vec::new(),
    }
}

/// The program has counted them itself.
fn told(profile: &Profile, wakeups: u64) -> Vec<Advice> {
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
        FIX.to_owned(),
    )]
}

/// Any other program: calls that submit nothing, on a ring that the kernel's thread
/// serves. What else they can be for is said.
fn inferred(profile: &Profile, polling: &Polling) -> Vec<Advice> {
    let by_thread = polling.sqes_by_sq_thread.unwrap_or(0);
    if by_thread == 0 || polling.sqes_by_enter != 0 || polling.enter_calls == 0 {
        return Vec::new();
    }
    vec![advice(
        profile,
        polling.enter_calls,
        "io_uring_enter is called although the kernel's thread submits".to_owned(),
        format!(
            "{} calls that submitted nothing, beside {} submissions by the thread: each wakes the \
             thread, which had fallen asleep, or waits for completions",
            count(polling.enter_calls),
            count(by_thread)
        ),
        format!("{FIX}; look for completions in the ring instead of waiting for them"),
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::advice::testing::{steady, with_io};

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

    /// Of a program that says nothing of its ring, the evidence is that its calls
    /// submit nothing.
    #[test]
    fn calls_that_submit_nothing() {
        let mut profile = steady(&[("syscall", "io_uring_enter", 7)]);
        assert_eq!(rule(&profile), []);
        let mut polling = Polling {
            sqes_by_sq_thread: Some(5_000),
            enter_calls: 7,
            ..Polling::default()
        };
        profile.polling = Some(polling.clone());
        let found = rule(&profile);
        assert_eq!(found[0].saves, 7);
        assert!(found[0].fix.contains("sq_thread_idle"), "{found:?}");
        polling.sqes_by_enter = 1;
        profile.polling = Some(polling);
        assert_eq!(rule(&profile), []);
    }
}
