//! From a snapshot to a profile. Pure.

use std::{
    collections::BTreeMap,
    time::{Duration, UNIX_EPOCH},
};

use profiler_common::{cause::CauseKind, loss::Loss};

use super::{
    advice, audit, checks, code, disturbance, exactness, ledger, memory, merge,
    model::{Accounting, Backend, Ledger, Miss, Own, Profile, SCHEMA_VERSION, Tool, Window},
    polling, purpose, rates, senders, timeline,
};
use crate::{
    collect::snapshot::Snapshot,
    gap::{Gap, Unavailable},
    symbolize::measurement::Measurement,
};

/// Builds the profile of a measurement.
#[must_use]
pub fn profile(measurement: &Measurement) -> Profile {
    let snapshot = &measurement.snapshot;
    let mut ledger = ledger::build(measurement);
    purpose::attach(&mut ledger, snapshot);
    let window = Window {
        start: rfc3339(snapshot.run.window.start_unix_ns),
        duration_ns: snapshot.run.window.duration_ns,
        phases: marked_phases(snapshot),
        phase_spans: if marked_phases(snapshot).is_empty() {
            Vec::new()
        } else {
            snapshot.phases.spans.clone()
        },
    };
    let accounting = accounting(measurement, &ledger);
    let ios = rates::ios(measurement.io.as_ref(), &snapshot.run.ending, &window);
    ledger.rates = rates::of(&ledger, &window, ios);
    let mut profile = Profile {
        schema_version: SCHEMA_VERSION,
        tool: tool(),
        host: snapshot.machine.host.clone(),
        target: snapshot.run.target.clone(),
        backend: Backend {
            name: snapshot.probes.families.name().into(),
            probe: snapshot
                .probes
                .families
                .exit
                .map(|hook| hook.function().to_owned()),
            reason: snapshot.probes.reason.clone(),
            stacks: snapshot.run.stack_policy.into(),
        },
        window,
        exit: snapshot.run.ending.clone(),
        memory: memory::of(measurement, &ledger),
        polling: polling::evidence(measurement, &ledger),
        timeline: timeline::of(measurement, &ledger),
        ledger,
        io: measurement.io.clone(),
        senders: senders::all(snapshot),
        disturbance: disturbance::all(snapshot),
        accounting,
        advice: Vec::new(),
        prefault: snapshot.run.prefault.clone(),
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
        .times
        .iter()
        .any(|phase| u32::from(phase.number) != profiler_common::phase::UNMARKED);
    if any {
        snapshot.phases.times.clone()
    } else {
        Vec::new()
    }
}

/// A moment, as RFC 3339 writes it.
fn rfc3339(unix_ns: u64) -> String {
    humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_nanos(unix_ns)).to_string()
}

fn accounting(measurement: &Measurement, ledger: &Ledger) -> Accounting {
    let snapshot = &measurement.snapshot;
    let loss = |kind: Loss| {
        snapshot
            .counts
            .losses
            .get(kind.name())
            .copied()
            .unwrap_or(0)
    };
    let unclassified = ledger
        .by_cause
        .iter()
        .filter(|row| row.cause == CauseKind::Unclassified)
        .map(|row| row.count)
        .sum();
    Accounting {
        misses: snapshot
            .probes
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
        audit: audit::of(measurement),
        cross_checks: checks::all(measurement, ledger),
        own: own(measurement),
        usage: snapshot.run.usage,
        unavailable: unavailable(measurement),
    }
}

/// The profiler's own part.
fn own(measurement: &Measurement) -> Own {
    let profiler = &measurement.snapshot.run.profiler;
    Own {
        cpus: profiler.cpus.clone(),
        cpu: match profiler.cpus[..] {
            [cpu] => Some(cpu),
            _ => None,
        },
        entries: None,
        apart: profiler.is_apart,
        cpu_ns: profiler.cpu_ns,
        all_cpu_ns: measurement.profiler_cpu_ns,
    }
}

/// What could not be kept, by the programs and by us.
fn losses(snapshot: &Snapshot) -> BTreeMap<String, u64> {
    let mut losses = snapshot.counts.losses.clone();
    let ours = [
        ("mapping_records_lost", snapshot.mappings.lost),
        ("mappings_not_kept", snapshot.mappings.not_kept),
        ("allocations_not_kept", snapshot.allocations.not_kept),
    ];
    losses.extend(ours.map(|(reason, lost)| (reason.to_owned(), lost)));
    losses
}

/// What this run cannot tell, and why.
fn unavailable(measurement: &Measurement) -> Vec<Unavailable> {
    let snapshot = &measurement.snapshot;
    let mut list = Vec::new();
    let mut say = |gap: Gap, reason: &str| list.push(Unavailable::new(gap, reason));
    say(
        Gap::KernelTime,
        "this version counts entries and does not time them",
    );
    if snapshot.probes.families.exit.is_none() {
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
    } else if !snapshot.probes.families.entry {
        say(
            Gap::Device,
            "the return to user mode does not show it: use `--backend audit`",
        );
    }
    if snapshot
        .run
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
    let programs = snapshot.probes.programs.iter();
    list.extend(programs.filter_map(|status| status.skipped.clone()));
    if snapshot
        .probes
        .programs
        .iter()
        .any(|status| status.skipped.is_none() && status.misses.is_none())
    {
        list.push(Unavailable::new(
            Gap::Misses,
            "the kernel counts them from Linux 5.12 on",
        ));
    }
    list.extend(code::unavailable(measurement));
    list.extend(exactness::skipped_kprobe(snapshot));
    list
}
