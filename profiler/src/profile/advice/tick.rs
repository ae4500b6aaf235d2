//! The scheduler's tick on a CPU that has one thing to do.

use profiler_common::{cause::CauseKind, disturbance::Disturber, vector::Vector};

use super::evidence::{advice, entries, has_steady, when};
use crate::{
    cpu_list,
    digits::count,
    profile::model::{Advice, Profile},
};

/// The kernel's argument that lets the tick rest on some CPUs.
const NOHZ_FULL: &str = "nohz_full=";

pub(super) fn rule(profile: &Profile) -> Vec<Advice> {
    let ticks = entries(profile, CauseKind::Interrupt, &[Vector::LocalTimer.name()]);
    // Without a steady state nobody said that the program must not be disturbed.
    if ticks == 0 || !has_steady(profile) {
        return Vec::new();
    }
    let arguments = profile.host.cmdline.split_ascii_whitespace();
    let full = arguments
        .filter_map(|argument| argument.strip_prefix(NOHZ_FULL))
        .next_back();
    let cpus = profile.target.cpus.as_deref();
    let list = cpus.map_or_else(|| "LIST".to_owned(), cpu_list::format);
    let others = other_tasks(profile);
    let (reason, fix) = match (full, others) {
        (None, _) => (
            "the kernel's command line has no nohz_full".to_owned(),
            format!(
                "start the kernel with isolcpus=nohz,domain,managed_irq,{list} nohz_full={list} \
                 rcu_nocbs={list} and run the program there (--cpu {list}), one thread to a CPU"
            ),
        ),
        (Some(full), Some((name, times))) => (
            format!(
                "nohz_full={full} is set, but {name} took the thread's place {} times: with two \
                 tasks to run the tick goes on",
                count(times)
            ),
            format!("move {name} to other CPUs"),
        ),
        (Some(full), None) => (
            format!("nohz_full={full} is set"),
            format!(
                "check that the program's CPUs ({list}) are among those and that only one of its \
                 threads runs on each; `--disturbance` shows what else does"
            ),
        ),
    };
    vec![advice(
        profile,
        ticks,
        "the scheduler's tick interrupts the program".to_owned(),
        format!(
            "{} timer interrupts {}; {reason}",
            count(ticks),
            when(profile)
        ),
        fix,
    )]
}

/// The task that took the program's place most often.
fn other_tasks(profile: &Profile) -> Option<(&str, u64)> {
    let rows = profile.disturbance.as_ref()?.iter();
    rows.filter(|row| row.kind == Disturber::Task.name())
        .max_by_key(|row| row.count)
        .map(|row| (row.what.as_str(), row.count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{
        advice::testing::{steady, unmarked},
        model::Disturbance,
    };

    const TICKS: [(&str, &str, u64); 1] = [("interrupt", "local_timer", 250)];

    /// What keeps the tick going decides what helps.
    #[test]
    fn says_why_the_tick_stays() {
        let mut profile = steady(&TICKS);
        profile.target.cpus = Some(vec![2, 3]);
        assert!(rule(&profile)[0].fix.contains("nohz_full=2-3"));
        profile.host.cmdline = "quiet nohz_full=2-3".to_owned();
        assert!(rule(&profile)[0].fix.contains("--disturbance"));
        profile.disturbance = Some(vec![Disturbance {
            kind: "task".to_owned(),
            what: "kworker/2:1".to_owned(),
            count: 8,
            ..Disturbance::default()
        }]);
        assert!(rule(&profile)[0].fix.contains("kworker/2:1"));
    }

    /// Without ticks, or without a steady state, there is nothing to say.
    #[test]
    fn silent_without_evidence() {
        assert_eq!(rule(&unmarked(&TICKS)), []);
        assert_eq!(rule(&steady(&[("interrupt", "reschedule", 250)])), []);
    }
}
