//! System calls in a steady state that was meant to have none.

use std::cmp::Reverse;

use profiler_common::cause::CauseKind;

use super::{
    clock_source,
    evidence::{advice, busiest_code, has_steady, place, rows},
};
use crate::{
    digits::count,
    profile::model::{Advice, Profile},
};

/// Calls that are spoken of: the most frequent ones.
const MOST: usize = 3;

/// Calls that submit and reap are work, not strays.
const WORK: [&str; 3] = ["io_uring_enter", "io_submit", "io_getevents"];

pub(super) fn rule(profile: &Profile) -> Vec<Advice> {
    if !has_steady(profile) {
        return Vec::new();
    }
    let mut calls: Vec<(&str, u64)> = rows(profile, CauseKind::Syscall)
        .map(|(row, count)| (row.detail.as_str(), count))
        .filter(|(call, _)| !WORK.contains(call) && !clock_source::CALLS.contains(call))
        .collect();
    calls.sort_by_key(|&(_, count)| Reverse(count));
    calls.truncate(MOST);
    calls
        .into_iter()
        .map(|(call, calls)| {
            let code =
                busiest_code(profile, CauseKind::Syscall, call).map_or(String::new(), |row| {
                    format!(
                        "; the busiest place of the run is {}, {} times",
                        place(row),
                        count(row.count)
                    )
                });
            advice(
                profile,
                calls,
                format!("{call} is called in steady state"),
                format!("{} calls of {call} in steady state{code}", count(calls)),
                fix(call).to_owned(),
            )
        })
        .collect()
}

/// What usually stands in for a call.
fn fix(call: &str) -> &'static str {
    match call {
        "futex" => {
            "find the lock or condition behind it: let one thread own the data, use lock-free \
             queues, or spin where the wait is short"
        }
        "nanosleep" | "clock_nanosleep" | "sched_yield" => {
            "poll without sleeping (a pause instruction in the loop), or take the wait out of \
             steady state"
        }
        "read" | "write" | "pread64" | "pwrite64" | "readv" | "writev" | "preadv" | "pwritev" => {
            "submit it through an io_uring, or gather several into one"
        }
        "epoll_wait" | "epoll_pwait" | "poll" | "ppoll" | "select" | "pselect6" | "recvfrom"
        | "recvmsg" | "sendto" | "sendmsg" => {
            "poll for it in user mode, or through an io_uring with SQPOLL"
        }
        "brk" | "mmap" | "munmap" | "madvise" | "mprotect" => {
            "allocate before steady state and reuse, and keep the allocator from returning memory \
             (M_TRIM_THRESHOLD, M_MMAP_THRESHOLD)"
        }
        _ => "make the call before or after steady state, or keep its result",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{
        advice::testing::{steady, unmarked},
        model::CodeRow,
    };

    /// Names the call and the code, and leaves what is work alone.
    #[test]
    fn names_the_code() {
        let mut profile = steady(&[
            ("syscall", "io_uring_enter", 90_000),
            ("syscall", "futex", 40),
        ]);
        profile.ledger.by_code.push(CodeRow {
            cause: "syscall".into(),
            detail: "futex".to_owned(),
            count: 41,
            symbol: Some("stats_lock".to_owned()),
            ..CodeRow::default()
        });
        let found = rule(&profile);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].saves, 40);
        assert!(found[0].evidence.contains("stats_lock"), "{found:?}");
        assert!(found[0].fix.contains("lock"), "{found:?}");
    }

    /// Calls elsewhere, or of programs without a steady state, are no strays.
    #[test]
    fn silent_without_evidence() {
        assert_eq!(rule(&unmarked(&[("syscall", "futex", 40)])), []);
        assert_eq!(rule(&steady(&[("page_fault", "first_touch", 40)])), []);
    }
}
