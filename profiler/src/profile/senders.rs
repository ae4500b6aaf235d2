//! Who sent interrupts to the CPUs of measured threads.

use std::{cmp::Reverse, collections::BTreeMap};

use profiler_common::cause::CauseKind;
use serde::{Deserialize, Serialize};

use super::ledger::phase_name;
use crate::{
    classify::{
        purpose::{RESCHEDULE, of_function},
        syscall,
    },
    collect::{interruption::SenderRow, row::UNKNOWN_FRAME, snapshot::Snapshot},
    named::CauseName,
};

/// Interrupts that one thread asked for at one place, for the CPU that one
/// measured thread was running on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Sender {
    /// What for: as in [`Purpose`](super::purpose::Purpose), or `reschedule`.
    pub purpose: String,
    /// The kernel function that is to be called there, or null: none.
    pub function: Option<String>,
    /// Times asked. One interrupt may serve several, and one that arrives while
    /// the thread is in the kernel is no entry.
    pub count: u64,
    /// Times by phase.
    pub phases: BTreeMap<String, u64>,
    /// The sender.
    pub tid: u32,
    /// Its process.
    pub tgid: u32,
    /// Its name.
    pub comm: String,
    /// By which way it had entered the kernel: `syscall`, `page_fault`, or null
    /// for a thread of the kernel's own or an interrupt handler on its CPU.
    pub cause: Option<CauseName>,
    /// The system call's name, if it was one.
    pub detail: Option<String>,
    /// The user instruction by which it had entered, in hexadecimal, if it had.
    pub user_ip: Option<String>,
    /// The kernel code that asks: `function+offset`.
    pub call_site: String,
    /// The thread that was running there.
    pub target_tid: u32,
    /// Its name.
    pub target_comm: String,
    /// The sender's kernel frames, innermost first, or null if none were taken.
    pub kernel_stack: Option<Vec<String>>,
    /// The sender's user frames, innermost first, or null if none were taken.
    pub user_stack: Option<Vec<String>>,
}

/// The senders, most frequent first, if they were asked for.
#[must_use]
pub fn all(snapshot: &Snapshot) -> Option<Vec<Sender>> {
    let rows = snapshot.interruptions.senders.as_ref()?;
    // Rows that differ in their phase only are one.
    let mut merged: BTreeMap<String, Sender> = BTreeMap::new();
    for row in rows {
        let one = sender(row, snapshot);
        let identity = format!("{one:?}");
        let entry = merged.entry(identity).or_insert(one);
        entry.count += row.count;
        let phase = phase_name(snapshot, row.phase);
        *entry.phases.entry(phase).or_default() += row.count;
    }
    let mut senders: Vec<Sender> = merged.into_values().collect();
    senders.sort_by_key(|sender| Reverse(sender.count));
    Some(senders)
}

/// A row without its counts.
fn sender(row: &SenderRow, snapshot: &Snapshot) -> Sender {
    let function = (row.function != 0).then(|| {
        let known = snapshot.kernel_symbols.get(&row.function);
        known.map_or_else(|| format!("{:#x}", row.function), |(name, _)| name.clone())
    });
    let kind = CauseKind::from_code(row.kind);
    let target = snapshot
        .threads
        .iter()
        .find(|thread| (thread.tid, thread.born) == (row.target_tid, row.target_born));
    Sender {
        purpose: function
            .as_deref()
            .map_or(RESCHEDULE, of_function)
            .to_owned(),
        function,
        count: 0,
        phases: BTreeMap::new(),
        tid: row.tid,
        tgid: row.tgid,
        comm: row.comm.clone(),
        cause: kind.map(CauseName::from),
        detail: (kind == Some(CauseKind::Syscall)).then(|| syscall::name(row.syscall, row.flags)),
        user_ip: (row.user_ip != 0).then(|| format!("{:#x}", row.user_ip)),
        call_site: place(row.call_site, snapshot),
        target_tid: row.target_tid,
        target_comm: target.map_or_else(String::new, |thread| thread.comm.clone()),
        kernel_stack: stack(&row.kernel, |address| place(address, snapshot)),
        user_stack: stack(&row.user, |address| format!("{address:#x}")),
    }
}

fn stack(frames: &[u64], name: impl Fn(u64) -> String) -> Option<Vec<String>> {
    let named = frames.iter().map(|&address| {
        if address == UNKNOWN_FRAME {
            "[not kept]".to_owned()
        } else {
            name(address)
        }
    });
    (!frames.is_empty()).then(|| named.collect())
}

/// A place in the kernel.
fn place(address: u64, snapshot: &Snapshot) -> String {
    snapshot.kernel_symbols.get(&address).map_or_else(
        || format!("{address:#x}"),
        |(name, offset)| format!("{name}+{offset:#x}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Phases of one sender are one row, and a reschedule has no function.
    #[test]
    fn phases_are_merged() {
        let row = |phase, count| SenderRow {
            tid: 5,
            comm: "waker".to_owned(),
            kind: CauseKind::Syscall.code(),
            syscall: 1,
            phase,
            count,
            ..SenderRow::default()
        };
        let mut snapshot = Snapshot::default();
        snapshot.interruptions.senders = Some(vec![row(1, 3), row(2, 4)]);
        let senders = all(&snapshot).expect("asked for");
        assert_eq!(senders.len(), 1);
        assert_eq!(senders[0].count, 7);
        assert_eq!(senders[0].phases["steady"], 4);
        assert_eq!(senders[0].purpose, RESCHEDULE);
        assert_eq!(senders[0].detail.as_deref(), Some("write"));
        assert_eq!(all(&Snapshot::default()), None);
    }
}
