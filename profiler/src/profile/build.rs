//! From a snapshot to a profile. Pure.

use std::{
    collections::BTreeMap,
    time::{Duration, UNIX_EPOCH},
};

use profiler_common::{cause::CauseKind, loss::Loss};

use super::{
    advice, audit, checks, code, disturbance, exactness, ledger, memory, merge,
    model::{Accounting, Backend, Ledger, Miss, Profile, SCHEMA_VERSION, Tool, Window},
    polling, purpose, rates, senders, timeline,
};
use crate::{
    collect::snapshot::Snapshot,
    gap::{Gap, Unavailable},
};

/// Builds the profile of a snapshot.
#[must_use]
pub fn profile(snapshot: &Snapshot) -> Profile {
    let mut ledger = ledger::build(snapshot);
    purpose::attach(&mut ledger, snapshot);
    let window = Window {
        start: rfc3339(snapshot.window.start_unix_ns),
        duration_ns: snapshot.window.duration_ns,
        phases: marked_phases(snapshot),
        phase_spans: if marked_phases(snapshot).is_empty() {
            Vec::new()
        } else {
            snapshot.phase_spans.clone()
        },
    };
    let accounting = accounting(snapshot, &ledger);
    let ios = rates::ios(snapshot.io.as_ref(), &snapshot.ending, &window);
    ledger.rates = rates::of(&ledger, &window, ios);
    let mut profile = Profile {
        schema_version: SCHEMA_VERSION,
        tool: tool(),
        host: snapshot.host.clone(),
        target: snapshot.target.clone(),
        backend: Backend {
            name: snapshot.families.name().into(),
            probe: snapshot
                .families
                .exit
                .map(|hook| hook.function().to_owned()),
            reason: snapshot.backend_reason.clone(),
            stacks: snapshot.stack_policy.into(),
        },
        window,
        exit: snapshot.ending.clone(),
        memory: memory::of(snapshot, &ledger),
        polling: polling::evidence(snapshot, &ledger),
        timeline: timeline::of(snapshot, &ledger),
        ledger,
        io: snapshot.io.clone(),
        senders: senders::all(snapshot),
        disturbance: disturbance::all(snapshot),
        accounting,
        advice: Vec::new(),
        prefault: snapshot.prefault.clone(),
        runs: 1,
    };
    exactness::settle(&mut profile);
    profile.advice = advice::all(&profile);
    merge::execs::merge(&mut profile);
    merge::bounds::bound(&mut profile);
    profile
}

/// This program.
#[must_use]
pub fn tool() -> Tool {
    Tool {
        name: "modeswitch".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        git: option_env!("MODESWITCH_GIT")
            .unwrap_or("unknown")
            .to_owned(),
    }
}

/// Phase times, unless the program never marked any.
fn marked_phases(snapshot: &Snapshot) -> Vec<super::model::PhaseTime> {
    let any = snapshot
        .phases
        .iter()
        .any(|phase| u32::from(phase.number) != profiler_common::phase::UNMARKED);
    if any {
        snapshot.phases.clone()
    } else {
        Vec::new()
    }
}

/// A moment, as RFC 3339 writes it.
fn rfc3339(unix_ns: u64) -> String {
    humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_nanos(unix_ns)).to_string()
}

fn accounting(snapshot: &Snapshot, ledger: &Ledger) -> Accounting {
    let loss = |kind: Loss| snapshot.losses.get(kind.name()).copied().unwrap_or(0);
    let unclassified = ledger
        .by_cause
        .iter()
        .filter(|row| row.cause == CauseKind::Unclassified)
        .map(|row| row.count)
        .sum();
    Accounting {
        misses: snapshot
            .programs
            .iter()
            .filter(|status| status.skipped.is_none())
            .map(|status| Miss {
                program: status.program.clone(),
                count: status.misses,
            })
            .collect(),
        map_full: audit::counted_overflow(snapshot)
            .map(|(_, count)| count)
            .sum(),
        stacks_lost: loss(Loss::StackLost)
            + loss(Loss::UserStackLost)
            + loss(Loss::SenderStackLost),
        unclassified,
        inexact: Vec::new(),
        inexact_codes: Vec::new(),
        losses: losses(snapshot),
        audit: audit::of(snapshot),
        cross_checks: checks::all(snapshot, ledger),
        own: snapshot.own.clone(),
        usage: snapshot.usage,
        unavailable: unavailable(snapshot),
    }
}

/// What could not be kept, by the programs and by us.
fn losses(snapshot: &Snapshot) -> BTreeMap<String, u64> {
    let mut losses = snapshot.losses.clone();
    let ours = [
        ("mapping_records_lost", snapshot.mappings.lost),
        ("mappings_not_kept", snapshot.mappings.not_kept),
        ("allocations_not_kept", snapshot.allocations_not_kept),
    ];
    losses.extend(ours.map(|(reason, lost)| (reason.to_owned(), lost)));
    losses
}

/// What this run cannot tell, and why.
fn unavailable(snapshot: &Snapshot) -> Vec<Unavailable> {
    let mut list = Vec::new();
    let mut say = |gap: Gap, reason: &str| list.push(Unavailable::new(gap, reason));
    say(
        Gap::KernelTime,
        "this version counts entries and does not time them",
    );
    if snapshot.families.exit.is_none() {
        say(
            Gap::SilentExceptions,
            "no tracepoint shows what the kernel deals with itself, such as a probe's breakpoint: \
             they need a kernel with fentry or kprobes",
        );
        match checks::unexplained_interrupts(snapshot) {
            None => say(
                Gap::InterruptLines,
                "/proc/interrupts, which would tell whether there were any, cannot be read",
            ),
            Some(lines) => {
                for (label, count) in lines {
                    let reason =
                        format!("no tracepoint shows them: at most {count} entries are missing");
                    say(Gap::InterruptsOfLine(label), &reason);
                }
            }
        }
    } else if !snapshot.families.entry {
        say(
            Gap::Device,
            "the return to user mode does not show it: use `--backend audit`",
        );
    }
    if snapshot
        .memory
        .is_some_and(|memory| memory.locked_bytes.is_none())
    {
        say(
            Gap::LockedMemory,
            "the kernel keeps no peak of it, and the run was too short to be looked at often enough",
        );
    }
    list.extend(marked_phases(snapshot).into_iter().filter_map(|phase| {
        let reason = phase.untimed?.why();
        Some(Unavailable::new(Gap::PhaseTime(phase.name), reason))
    }));
    list.extend(memory::unavailable(snapshot));
    let programs = snapshot.programs.iter();
    list.extend(programs.filter_map(|status| status.skipped.clone()));
    if snapshot
        .programs
        .iter()
        .any(|status| status.skipped.is_none() && status.misses.is_none())
    {
        list.push(Unavailable::new(
            Gap::Misses,
            "the kernel counts them from Linux 5.12 on",
        ));
    }
    list.extend(code::unavailable(snapshot));
    list.extend(exactness::skipped_kprobe(snapshot));
    list
}

/// Counts by cause alone, over all details.
#[must_use]
pub fn by_kind(ledger: &Ledger) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for row in &ledger.by_cause {
        *counts.entry(row.cause.to_string()).or_default() += row.count;
    }
    counts
}
