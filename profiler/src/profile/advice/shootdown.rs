//! Another thread that takes memory away, and interrupts all that share it.

use profiler_common::cause::CauseKind;

use super::evidence::{advice, busiest_code, entries, has_steady, place, when};
use crate::{
    classify::purpose::TLB_SHOOTDOWN,
    digits::count,
    profile::{
        model::{Advice, Profile, Sender},
        rates::STEADY_NAME,
    },
};

/// System calls that take memory or rights to it away.
const CALLS: [&str; 5] = ["munmap", "mprotect", "madvise", "mremap", "pkey_mprotect"];

/// What helps if a thread of the program sends them.
const OWN: &str = "keep that thread from returning memory while others work: reuse buffers, keep the \
     allocator from trimming (M_TRIM_THRESHOLD and M_MMAP_THRESHOLD, or the decay settings of \
     jemalloc), or do it in a process of its own";

/// What helps if another program sends them: its memory was in use on this CPU.
const FOREIGN: &str = "keep that program off the CPUs of this one (cpusets, taskset, isolcpus): a \
     flush is sent to every CPU on which its memory was in use";

pub(super) fn rule(profile: &Profile) -> Vec<Advice> {
    let rows = profile.ledger.by_cause.iter();
    let hits: u64 = rows
        .flat_map(|row| &row.purposes)
        .filter(|purpose| purpose.purpose == TLB_SHOOTDOWN)
        .map(|purpose| {
            if has_steady(profile) {
                purpose.phases.get(STEADY_NAME).copied().unwrap_or(0)
            } else {
                purpose.count
            }
        })
        .fold(0, u64::saturating_add);
    if hits == 0 {
        return Vec::new();
    }
    let sender = sender(profile);
    let who = sender
        .map(|sender| by_sender(profile, sender))
        .or_else(|| by_calls(profile))
        .unwrap_or_else(|| "`--senders` shows who asks for them".to_owned());
    let is_ours = sender.is_none_or(|sender| {
        let threads = &profile.ledger.by_thread;
        threads.iter().any(|thread| thread.tgid == sender.tgid)
    });
    let fix = if is_ours { OWN } else { FOREIGN };
    vec![advice(
        profile,
        hits,
        "TLB shootdowns interrupt the program's threads".to_owned(),
        format!("{} shootdowns {}; {who}", count(hits), when(profile)),
        fix.to_owned(),
    )]
}

/// Who sent most of them, if that was looked at.
fn sender(profile: &Profile) -> Option<&Sender> {
    let senders = profile.senders.as_ref()?.iter();
    senders
        .filter(|sender| sender.purpose == TLB_SHOOTDOWN)
        .max_by_key(|sender| sender.count)
}

fn by_sender(profile: &Profile, sender: &Sender) -> String {
    let call = match (&sender.detail, &sender.cause) {
        (Some(call), _) => format!("in {call}"),
        (None, Some(cause)) => format!("in a {cause}"),
        (None, None) => "in the kernel".to_owned(),
    };
    let rows = profile.ledger.by_code.iter();
    let code = rows
        .filter(|row| row.tgid == sender.tgid && Some(&row.user_ip) == sender.user_ip.as_ref())
        .max_by_key(|row| row.count)
        .map_or(String::new(), |row| format!(" at {}", place(row)));
    format!(
        "thread {} ({}) asked for {} of them, {call}{code}",
        sender.tid,
        sender.comm,
        count(sender.count)
    )
}

/// The program's own calls that make shootdowns.
fn by_calls(profile: &Profile) -> Option<String> {
    let (call, calls) = CALLS
        .iter()
        .map(|&call| (call, entries(profile, CauseKind::Syscall, &[call])))
        .max_by_key(|&(_, calls)| calls)
        .filter(|&(_, calls)| calls != 0)?;
    let code = busiest_code(profile, CauseKind::Syscall, call).map_or(String::new(), |row| {
        format!(", most of them at {}", place(row))
    });
    Some(format!(
        "the program called {call} {} times{code}; `--senders` shows who asks for them",
        count(calls)
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::profile::{
        advice::testing::steady,
        model::{Purpose, ThreadRow},
    };

    fn shot() -> Profile {
        let mut profile = steady(&[
            ("interrupt", "call_function_single", 100),
            ("syscall", "munmap", 120),
        ]);
        profile.ledger.by_cause[0].purposes = vec![Purpose {
            purpose: TLB_SHOOTDOWN.to_owned(),
            count: 90,
            phases: BTreeMap::from([(STEADY_NAME.to_owned(), 90)]),
            ..Purpose::default()
        }];
        profile
    }

    /// The sender is named where it was looked for, else the likely call.
    #[test]
    fn names_the_caller() {
        let mut profile = shot();
        assert!(rule(&profile)[0].evidence.contains("munmap 120 times"));
        profile.senders = Some(vec![Sender {
            purpose: TLB_SHOOTDOWN.to_owned(),
            count: 95,
            tid: 77,
            comm: "shooter".to_owned(),
            detail: Some("mprotect".to_owned()),
            ..Sender::default()
        }]);
        let found = rule(&profile);
        assert_eq!(found[0].saves, 90);
        assert!(found[0].evidence.contains("77 (shooter)"), "{found:?}");
        assert!(found[0].evidence.contains("in mprotect"), "{found:?}");
        assert_eq!(found[0].fix, FOREIGN);
        profile.ledger.by_thread.push(ThreadRow::default());
        assert_eq!(rule(&profile)[0].fix, OWN);
    }

    /// A call-function interrupt is not a shootdown by itself.
    #[test]
    fn needs_the_purpose() {
        assert_eq!(rule(&steady(&[("interrupt", "call_function", 100)])), []);
    }
}
