//! From classified rows to the ledger's tables.

use std::{cmp::Reverse, collections::BTreeMap};

use profiler_common::cause::CauseKind;

use super::{
    audit, code, fault_checks,
    model::{CauseRow, KernelStack, Ledger, Rates, ThreadCauseRow, ThreadRow},
};
use crate::{
    classify::{cause::Cause, entries::Entry, fault},
    collect::{
        row::{Row, UNKNOWN_FRAME},
        snapshot::Snapshot,
    },
    probe::settings::StackPolicy,
    symbolize::measurement::Measurement,
};

/// Counts of one cause, in all and by phase.
#[derive(Clone, Debug, Default)]
struct Tally {
    count: u64,
    phases: BTreeMap<String, u64>,
    accesses: BTreeMap<String, u64>,
    major: u64,
}

impl Tally {
    fn add(&mut self, phase: &str, count: u64) {
        self.count += count;
        *self.phases.entry(phase.to_owned()).or_default() += count;
    }

    /// What the row of a page fault tells besides.
    fn add_access(&mut self, row: &Row) {
        let access = fault::access(row.detail).to_owned();
        *self.accesses.entry(access).or_default() += row.count;
        if fault::is_major(row.detail) {
            self.major += row.count;
        }
    }
}

/// Counts by cause and detail.
type ByCause = BTreeMap<(CauseKind, String), Tally>;

/// Builds the ledger. Rates are filled in later.
#[must_use]
pub fn build(measurement: &Measurement) -> Ledger {
    let snapshot = &measurement.snapshot;
    let mut all = ByCause::new();
    let mut by_thread: BTreeMap<(u32, u32), ByCause> = BTreeMap::new();
    let mut by_code = code::ByCode::new();
    let processes: BTreeMap<(u32, u32), u32> = snapshot
        .threads
        .iter()
        .map(|thread| ((thread.tid, thread.generation), thread.tgid))
        .collect();
    for Entry { row, cause } in audit::counted_entries(measurement) {
        let phase = phase_name(snapshot, row.phase);
        let key = (cause.kind(), cause.detail());
        let thread = (row.tid, row.generation);
        let tally = all.entry(key.clone()).or_default();
        tally.add(&phase, row.count);
        if row.kind == CauseKind::PageFault.code() {
            tally.add_access(row);
        }
        let of_thread = by_thread.entry(thread).or_default();
        of_thread
            .entry(key.clone())
            .or_default()
            .add(&phase, row.count);
        if row.user_ip != 0 {
            let process = processes.get(&thread).copied().unwrap_or(row.tid);
            let (kind, detail) = key;
            *by_code
                .entry((process, row.user_ip, kind, detail))
                .or_default() += row.count;
        }
    }
    for (code, count) in audit::counted_overflow(snapshot) {
        all.entry(overflow_name(code))
            .or_default()
            .add("unknown", count);
    }
    let (by_code, user_stacks) = code::tables(by_code, measurement);
    let seconds = seconds(snapshot.run.window.duration_ns);
    Ledger {
        total: all.values().map(|tally| tally.count).sum(),
        rates: Rates::default(),
        by_cause: cause_rows(all, seconds, fault_checks::knows_major(snapshot)),
        by_thread: thread_rows(snapshot, by_thread),
        by_code,
        user_stacks,
        kernel_stacks: kernel_stacks(measurement),
    }
}

/// The cause and detail of entries whose row did not fit.
#[must_use]
pub fn overflow_name(code: u8) -> (CauseKind, String) {
    let kind = CauseKind::from_code(code)
        // Without its row, a return cannot be told from any other.
        .filter(|kind| *kind != CauseKind::Return)
        .unwrap_or(CauseKind::Unclassified);
    (kind, "no_room_for_detail".to_owned())
}

/// A length of time in seconds, never zero.
#[must_use]
pub fn seconds(duration_ns: u64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "exact up to 104 days, and only for rates"
    )]
    let seconds = duration_ns.max(1) as f64 / 1e9;
    seconds
}

/// A count as a number to divide.
#[must_use]
pub fn as_float(count: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "only for rates and shares")]
    let float = count as f64;
    float
}

/// The name of a phase.
#[must_use]
pub fn phase_name(snapshot: &Snapshot, number: u16) -> String {
    let known = snapshot
        .phases
        .times
        .iter()
        .find(|phase| phase.number == number);
    known.map_or_else(
        || {
            profiler_common::phase::fixed_name(u32::from(number))
                .map_or_else(|| format!("phase_{number}"), str::to_owned)
        },
        |phase| phase.name.clone(),
    )
}

fn cause_rows(all: ByCause, seconds: f64, knows_major: bool) -> Vec<CauseRow> {
    let mut rows: Vec<CauseRow> = all
        .into_iter()
        .map(|((kind, detail), tally)| CauseRow {
            cause: kind.into(),
            detail,
            count: tally.count,
            phases: tally.phases,
            per_second: as_float(tally.count) / seconds,
            time_ns: None,
            purposes: Vec::new(),
            major: (knows_major && kind == CauseKind::PageFault).then_some(tally.major),
            accesses: tally.accesses,
        })
        .collect();
    rows.sort_by_key(|row| Reverse(row.count));
    rows
}

fn thread_rows(snapshot: &Snapshot, mut counts: BTreeMap<(u32, u32), ByCause>) -> Vec<ThreadRow> {
    let mut rows = Vec::new();
    for thread in &snapshot.threads {
        let by_cause = counts
            .remove(&(thread.tid, thread.generation))
            .unwrap_or_default();
        rows.push(thread_row(thread.tid, thread.tgid, &thread.comm, by_cause));
    }
    // Threads whose description did not fit.
    for ((tid, _), by_cause) in counts {
        rows.push(thread_row(tid, 0, "", by_cause));
    }
    rows
}

fn thread_row(tid: u32, tgid: u32, comm: &str, by_cause: ByCause) -> ThreadRow {
    let mut by_cause: Vec<ThreadCauseRow> = by_cause
        .into_iter()
        .map(|((kind, detail), tally)| ThreadCauseRow {
            cause: kind.into(),
            detail,
            count: tally.count,
            phases: tally.phases,
            purposes: Vec::new(),
        })
        .collect();
    by_cause.sort_by_key(|row| Reverse(row.count));
    ThreadRow {
        tid,
        tgid,
        comm: comm.to_owned(),
        total: by_cause.iter().map(|row| row.count).sum(),
        by_cause,
    }
}

fn kernel_stacks(measurement: &Measurement) -> Vec<KernelStack> {
    let snapshot = &measurement.snapshot;
    if snapshot.run.stack_policy == StackPolicy::User {
        return Vec::new();
    }
    let mut counts: BTreeMap<(&Cause, Vec<String>), u64> = BTreeMap::new();
    let stacks = measurement.stacks();
    for (entry, stack) in stacks.filter(|(entry, _)| audit::is_shown(*entry, snapshot)) {
        let frames = stack
            .kernel
            .iter()
            .map(|address| match snapshot.kernel_symbols.get(address) {
                Some((name, offset)) => format!("{name}+{offset:#x}"),
                None if *address == UNKNOWN_FRAME => "[not kept]".to_owned(),
                None => format!("{address:#x}"),
            })
            .collect();
        *counts.entry((entry.cause, frames)).or_default() += entry.row.count;
    }
    let mut stacks: Vec<KernelStack> = counts
        .into_iter()
        .map(|((cause, frames), count)| KernelStack {
            cause: cause.kind().into(),
            detail: cause.detail(),
            count,
            frames,
        })
        .collect();
    stacks.sort_by_key(|row| Reverse(row.count));
    stacks
}
