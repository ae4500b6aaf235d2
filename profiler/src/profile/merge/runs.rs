//! Several runs as one profile of sums.
//!
//! Counts, times and what was lost are added up, and rates are made from the sums.
//! What does not add up is left out, and `accounting.unavailable` says so. What is
//! no number is the first run's: addresses, call chains, the numbers of processes
//! and threads.

use std::cmp::Reverse;

use super::{
    accounting::add_accounting,
    ledger::{add_ledger, add_senders},
    left_out,
    memory::add_memory,
    numbers,
    rows::{add, add_counts, add_known, add_new, add_rows, both},
};
use crate::profile::{
    advice, exactness,
    ledger::{as_float, seconds},
    model::{Disturbance, Ending, Polling, Prefaulted, Profile, Window},
    polling_findings, rates,
};

/// Why two profiles are no runs of one command under one condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlike {
    /// Which one does not go with the first, counted from 1 for the second.
    pub place: usize,
    /// What differs.
    pub what: &'static str,
    /// What it is in the first.
    pub first: String,
    /// What it is in this one.
    pub other: String,
}

/// The sum of several runs of one command. That of one is the run itself.
///
/// # Errors
/// [`Unlike`] if they were not measured alike.
pub fn merge(first: Profile, others: Vec<Profile>) -> Result<Profile, Unlike> {
    if others.is_empty() {
        return Ok(first);
    }
    for (place, other) in others.iter().enumerate() {
        check(&first, other, place + 1)?;
    }
    let all: Vec<&Profile> = std::iter::once(&first).chain(&others).collect();
    let ios = all.iter().try_fold(0_u64, |sum, run| {
        Some(sum.saturating_add(rates::ios(run.io.as_ref(), &run.exit, &run.window)?))
    });
    let left_out = left_out::of(&all);
    let mut sum = others.into_iter().fold(first, add_run);
    add_new(&mut sum.accounting.unavailable, left_out);
    let duration_ns = sum.window.duration_ns;
    for row in &mut sum.ledger.by_cause {
        row.per_second = as_float(row.count) / seconds(duration_ns);
    }
    sum.ledger.rates = rates::of(&sum.ledger, &sum.window, ios);
    exactness::say(&mut sum);
    sum.advice = advice::all(&sum);
    Ok(sum)
}

/// What has to be the same, and how to look at it.
type Look = (&'static str, fn(&Profile) -> String);

/// Whether a run can be added to the first.
fn check(first: &Profile, other: &Profile, place: usize) -> Result<(), Unlike> {
    let looks: [Look; 5] = [
        ("command", |run| run.target.command.join(" ")),
        ("backend", |run| run.backend.name.to_string()),
        ("kernel", |run| run.host.kernel.clone()),
        ("stacks", |run| run.backend.stacks.to_string()),
        ("CPUs", |run| {
            let cpus = run.target.cpus.as_ref();
            cpus.map_or_else(|| "any".to_owned(), |cpus| crate::cpu_list::format(cpus))
        }),
    ];
    for (what, look) in looks {
        let (first, other) = (look(first), look(other));
        if first != other {
            return Err(Unlike {
                place,
                what,
                first,
                other,
            });
        }
    }
    Ok(())
}

fn add_run(mut sum: Profile, mut run: Profile) -> Profile {
    numbers::renumber(&mut run, &sum);
    add(&mut sum.runs, run.runs);
    add_window(&mut sum.window, run.window);
    if !is_bad(&sum.exit) {
        sum.exit = run.exit;
    }
    let addresses = add_ledger(&mut sum.ledger, run.ledger);
    add_memory(&mut sum.memory, run.memory);
    sum.io = None;
    let phase = sum.polling.as_ref().map(|polling| polling.phase.clone());
    let same_phase = |run: &Polling| phase.as_ref() == Some(&run.phase);
    let polling = run.polling.filter(same_phase);
    sum.polling = both(sum.polling.take(), polling, add_polling);
    sum.senders = both(sum.senders.take(), run.senders, |sum, run| {
        add_senders(sum, run, &addresses);
    });
    sum.disturbance = both(sum.disturbance.take(), run.disturbance, add_disturbance);
    add_accounting(&mut sum.accounting, run.accounting);
    sum.prefault = both(sum.prefault.take(), run.prefault, add_prefault);
    sum.timeline = None;
    sum
}

fn add_window(sum: &mut Window, run: Window) {
    if run.start < sum.start {
        sum.start = run.start;
    }
    add(&mut sum.duration_ns, run.duration_ns);
    add_rows(
        &mut sum.phases,
        run.phases,
        |phase| phase.name.clone(),
        |known, phase| {
            known.duration_ns = add_known(known.duration_ns, phase.duration_ns);
            known.untimed = known.untimed.or(phase.untimed);
            known.exact &= phase.exact;
        },
    );
    sum.phase_spans.clear();
}

/// Whether something is to be said of how a run ended.
fn is_bad(exit: &Ending) -> bool {
    exit.code.is_some_and(|code| code != 0)
        || exit.signal.is_some()
        || exit.interrupted_by.is_some()
        || exit.left_running != 0
}

fn add_polling(sum: &mut Polling, run: Polling) {
    sum.sqes_by_sq_thread = add_known(sum.sqes_by_sq_thread, run.sqes_by_sq_thread);
    add(&mut sum.sqes_by_enter, run.sqes_by_enter);
    add(&mut sum.enter_calls, run.enter_calls);
    add_counts(&mut sum.device_irqs, run.device_irqs);
    sum.poll_queues.extend(run.poll_queues);
    sum.findings = polling_findings::of(sum, None);
}

fn add_disturbance(sum: &mut Vec<Disturbance>, run: Vec<Disturbance>) {
    add_rows(
        sum,
        run,
        |row| {
            let disturber = (row.kind.clone(), row.what.clone());
            (row.cpu, row.tid, row.thread.clone(), disturber)
        },
        |known, row| {
            add(&mut known.count, row.count);
            add(&mut known.total_ns, row.total_ns);
            known.max_ns = known.max_ns.max(row.max_ns);
        },
    );
    sum.sort_by_key(|row| Reverse(row.total_ns));
}

fn add_prefault(sum: &mut Prefaulted, run: Prefaulted) {
    add_new(&mut sum.locked, run.locked);
    add_new(&mut sum.changed, run.changed);
    sum.refused = sum.refused.take().or(run.refused);
    add_new(&mut sum.refused_children, run.refused_children);
    sum.out_of_memory = sum.out_of_memory.take().or(run.out_of_memory);
}
