//! Who sent interrupts to the CPUs of measured threads.

use std::{cmp::Reverse, collections::BTreeMap};

use profiler_common::cause::CauseKind;

use super::ledger::phase_name;
use crate::{
    classify::{
        purpose::{RESCHEDULE, of_function},
        syscall,
    },
    collect::{interruption::SenderRow, row::UNKNOWN_FRAME, snapshot::Snapshot},
    document::interrupts::Sender,
    named::CauseName,
};

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
        .find(|thread| (thread.tid, thread.generation) == (row.target_tid, row.target_generation));
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
