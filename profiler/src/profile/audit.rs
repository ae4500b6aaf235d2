//! Double-entry bookkeeping: returns to user mode against entries.
//!
//! Where both families of probes are attached, each entry is counted twice, by
//! programs that share nothing. What only one of them can see is set apart, with
//! the reason; the rest must agree to the unit.

use std::collections::{BTreeMap, BTreeSet};

use profiler_common::{
    cause::{CauseKind, RETURN_FROM_FAULT},
    names::program,
};

use super::model::{Audit, OneSided};
use crate::{
    classify::{
        cause::{Cause, InterruptSource},
        entries::Entry,
    },
    collect::{row::Row, snapshot::Snapshot},
    symbolize::measurement::Measurement,
};

/// A thread and its incarnation.
type ThreadKey = (u32, u32);

/// The audit of a run that had both families.
#[must_use]
pub fn of(measurement: &Measurement) -> Option<Audit> {
    let snapshot = &measurement.snapshot;
    if !is_audit(snapshot) {
        return None;
    }
    let mut one_sided: BTreeMap<(&Cause, &'static str), u64> = BTreeMap::new();
    let mut by_thread: BTreeMap<ThreadKey, (u64, u64)> = BTreeMap::new();
    let mut left_by_itself = BTreeSet::new();
    // By thread and exception: returns from it, and signals that answered it.
    let mut exceptions: BTreeMap<(ThreadKey, &Cause), (u64, u64)> = BTreeMap::new();
    for Entry { row, cause } in measurement.ledger() {
        let is_return = is_return(row);
        if matches!(cause, Cause::Exception(_)) {
            let key = ((row.tid, row.generation), cause);
            let (exits, entries) = exceptions.entry(key).or_default();
            *(if is_return { exits } else { entries }) += row.count;
            continue;
        }
        let reason = if is_return {
            only_returns_show(cause)
        } else {
            only_entries_show(cause)
        };
        if let Some(reason) = reason {
            if matches!(cause, Cause::Syscall(_)) {
                left_by_itself.insert((row.tid, row.generation));
            }
            *one_sided.entry((cause, reason)).or_default() += row.count;
            continue;
        }
        let (exits, entries) = by_thread.entry((row.tid, row.generation)).or_default();
        *(if is_return { exits } else { entries }) += row.count;
    }
    for ((thread, cause), (returns, signals)) in exceptions {
        let (exits, entries) = by_thread.entry(thread).or_default();
        *exits += returns.min(signals);
        *entries += signals;
        if returns > signals {
            let reason = "it raised no signal, by which a tracepoint would show it";
            *one_sided.entry((cause, reason)).or_default() += returns - signals;
        }
    }
    // A thread that was killed went the way out up to where it died.
    let killed = snapshot.threads.iter().filter(|thread| {
        let key = (thread.tid, thread.generation);
        let (exits, entries) = by_thread.get(&key).copied().unwrap_or_default();
        thread.ended_ns != 0 && !left_by_itself.contains(&key) && entries == exits + 1
    });
    let killed = u64::try_from(killed.count()).unwrap_or(u64::MAX);
    let exits: u64 = by_thread.values().map(|(exits, _)| exits).sum();
    let entries: u64 = by_thread.values().map(|(_, entries)| entries).sum();
    let entries = entries - killed;
    let mut one_sided: Vec<OneSided> = one_sided
        .into_iter()
        .map(|((cause, reason), count)| OneSided {
            cause: cause.kind().into(),
            detail: cause.detail(),
            count,
            reason: reason.to_owned(),
        })
        .collect();
    if killed != 0 {
        one_sided.push(OneSided {
            cause: "any".into(),
            detail: "killed".to_owned(),
            count: killed,
            reason: "the thread was killed on its way out, so there is no return".to_owned(),
        });
    }
    Some(Audit {
        exits,
        entries,
        difference: signed(exits) - signed(entries),
        one_sided,
    })
}

/// Whether both families were attached.
#[must_use]
pub fn is_audit(snapshot: &Snapshot) -> bool {
    snapshot.probes.families.entry && snapshot.probes.families.exit.is_some()
}

/// Whether a row belongs to the ledger. What is seen on both ways is taken from
/// the tracepoints, which know more: page faults always are. Exceptions are not,
/// since not every one raises a signal.
#[must_use]
pub fn is_counted(Entry { row, cause }: Entry<'_>, snapshot: &Snapshot) -> bool {
    if !is_return(row) {
        return row.kind != CauseKind::Exception.code() || !is_audit(snapshot);
    }
    if is_audit(snapshot) {
        only_returns_show(cause).is_some()
    } else {
        !is_fault(cause) || !sees_faults(snapshot)
    }
}

/// Whether the stack of a row is shown. Where returns are watched alone, all
/// stacks are those of returns.
#[must_use]
pub fn is_shown(entry: Entry<'_>, snapshot: &Snapshot) -> bool {
    if is_audit(snapshot) || snapshot.probes.families.exit.is_none() {
        is_counted(entry, snapshot)
    } else {
        is_return(entry.row) || !is_fault(entry.cause)
    }
}

/// Page faults as the returns show them, where returns are watched: entries and
/// returns are to be the same number.
#[must_use]
pub fn fault_returns(measurement: &Measurement) -> Option<u64> {
    let snapshot = &measurement.snapshot;
    snapshot.probes.families.exit?;
    let returns = measurement.ledger().filter(|entry| is_return(entry.row));
    let faults = returns.filter(|entry| is_fault(entry.cause));
    let without_room = snapshot
        .counts
        .overflow
        .get(&RETURN_FROM_FAULT)
        .unwrap_or(&0);
    Some(faults.map(|entry| entry.row.count).sum::<u64>() + without_room)
}

/// The rows that make up the ledger. Calls and first returns that both ways show are
/// taken from the tracepoints; but of a thread's calls that the hook on the way out has
/// seen more often, since the kernel has passed a tracepoint's program over, from that:
/// unless calls had no room, which are counted without their thread.
#[must_use]
pub fn counted_entries(measurement: &Measurement) -> Vec<Entry<'_>> {
    let snapshot = &measurement.snapshot;
    let is_audit = is_audit(snapshot);
    let key = |Entry { row, cause }: Entry<'_>| {
        let kind = match cause {
            Cause::Syscall(_) => CauseKind::Syscall,
            Cause::NewTask => CauseKind::NewTask,
            Cause::PageFault(_)
            | Cause::Interrupt(_)
            | Cause::Exception(_)
            | Cause::Nmi
            | Cause::Unclassified(_) => return None,
        };
        let without_room = snapshot.counts.overflow.get(&kind.code()).unwrap_or(&0);
        (*without_room == 0).then_some((row.tid, row.generation))
    };
    let mut seen: BTreeMap<(ThreadKey, &Cause), (u64, u64)> = BTreeMap::new();
    for entry in measurement.ledger().filter(|_| is_audit) {
        if let Some(thread) = key(entry) {
            let (returns, entries) = seen.entry((thread, entry.cause)).or_default();
            *(if is_return(entry.row) {
                returns
            } else {
                entries
            }) += entry.row.count;
        }
    }
    seen.retain(|_, (returns, entries)| returns > entries);
    let is_in = |&entry: &Entry<'_>| {
        let more_returns =
            key(entry).is_some_and(|thread| seen.contains_key(&(thread, entry.cause)));
        if more_returns {
            is_return(entry.row)
        } else {
            is_counted(entry, snapshot)
        }
    };
    measurement.ledger().filter(is_in).collect()
}

/// Entries that had no room and belong to the ledger, by their code.
pub fn counted_overflow(snapshot: &Snapshot) -> impl Iterator<Item = (u8, u64)> {
    let all = snapshot
        .counts
        .overflow
        .iter()
        .map(|(&code, &count)| (code, count));
    all.filter(|&(code, _)| counts_overflow(code, snapshot))
}

/// Whether entries of this code that had no room belong to the ledger: whether no
/// other program has counted them.
#[must_use]
pub fn counts_overflow(code: u8, snapshot: &Snapshot) -> bool {
    code != RETURN_FROM_FAULT && !(code == CauseKind::Return.code() && is_audit(snapshot))
}

/// Whether the program on page faults was attached.
fn sees_faults(snapshot: &Snapshot) -> bool {
    snapshot
        .probes
        .programs
        .iter()
        .any(|status| status.program == program::PAGE_FAULT_USER && status.skipped.is_none())
}

const fn is_fault(cause: &Cause) -> bool {
    matches!(cause, Cause::PageFault(_))
}

fn is_return(row: &Row) -> bool {
    row.kind == CauseKind::Return.code()
}

/// Why no tracepoint shows this, if none does.
fn only_returns_show(cause: &Cause) -> Option<&'static str> {
    match cause {
        Cause::Exception(_) => Some("not every exception raises a signal"),
        Cause::Interrupt(InterruptSource::Other(_)) => Some("this vector has no tracepoint"),
        Cause::Unclassified(_) => Some("not understood, and on no other way seen"),
        Cause::Syscall(_)
        | Cause::PageFault(_)
        | Cause::Interrupt(
            InterruptSource::Vector(_) | InterruptSource::Device(_) | InterruptSource::SomeDevice,
        )
        | Cause::Nmi
        | Cause::NewTask => None,
    }
}

/// Why no return follows this, if none does.
fn only_entries_show(cause: &Cause) -> Option<&'static str> {
    const LAST_CALLS: [&str; 4] = ["exit", "exit_group", "ia32:exit", "ia32:exit_group"];
    match cause {
        Cause::Syscall(name) if LAST_CALLS.contains(&name.as_str()) => {
            Some("this call does not return")
        }
        Cause::Nmi => Some("non-maskable interrupts return by a way of their own"),
        Cause::Syscall(_)
        | Cause::PageFault(_)
        | Cause::Interrupt(_)
        | Cause::Exception(_)
        | Cause::NewTask
        | Cause::Unclassified(_) => None,
    }
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use profiler_common::{
        loss::Loss,
        vector::{Trap, Vector},
    };

    use super::*;
    use crate::{
        collect::threads::Thread,
        probe::backend::{ExitHook, Families},
        profile::build,
    };

    const SYSCALL_STUB: u64 = 0xffff_ffff_8200_0105;
    const OPCODE_STUB: u64 = 0xffff_ffff_8200_0205;
    const TIMER_STUB: u64 = 0xffff_ffff_8200_0305;

    fn row(tid: u32, kind: CauseKind, detail: u32, stub_return: u64, count: u64) -> Row {
        Row {
            tid,
            kind: kind.code(),
            detail,
            stub_return,
            count,
            ..Row::default()
        }
    }

    fn snapshot(rows: Vec<Row>, ended: &[u32]) -> Snapshot {
        let stub = |address: u64, name: &str| (address, (name.to_owned(), 5));
        let thread = |&tid: &u32| Thread {
            tid,
            ended_ns: 1,
            ..Thread::default()
        };
        let mut snapshot = Snapshot::default();
        snapshot.counts.rows = rows;
        snapshot.threads = ended.iter().map(thread).collect();
        snapshot.probes.families = Families {
            entry: true,
            exit: Some(ExitHook::FentryFpregs),
        };
        snapshot.kernel_symbols = BTreeMap::from([
            stub(SYSCALL_STUB, "entry_SYSCALL_64_after_hwframe"),
            stub(OPCODE_STUB, "asm_exc_invalid_op"),
            stub(TIMER_STUB, "asm_sysvec_apic_timer_interrupt"),
        ]);
        snapshot
    }

    /// Each kind of one-sidedness is set apart, and the rest agrees.
    #[test]
    fn what_one_side_cannot_see_is_set_apart() {
        let timer = Vector::LocalTimer.code();
        let snapshot = snapshot(
            vec![
                row(1, CauseKind::Syscall, 39, 0, 100),
                row(1, CauseKind::Syscall, 231, 0, 1),
                row(1, CauseKind::Nmi, 0, 0, 3),
                row(1, CauseKind::Interrupt, timer, 0, 5),
                row(1, CauseKind::Return, 39, SYSCALL_STUB, 100),
                // Seven, of which a signal answers five.
                row(1, CauseKind::Return, u32::MAX, OPCODE_STUB, 7),
                row(1, CauseKind::Exception, Trap::InvalidOpcode.code(), 0, 5),
                row(1, CauseKind::Return, u32::MAX, TIMER_STUB, 5),
                // Killed in its second call.
                row(2, CauseKind::Syscall, 39, 0, 2),
                row(2, CauseKind::Return, 39, SYSCALL_STUB, 1),
            ],
            &[1, 2],
        );
        let audit = of(&snapshot.into()).expect("both families");
        assert_eq!(
            (audit.exits, audit.entries, audit.difference),
            (111, 111, 0)
        );
        let seen: Vec<(&str, u64)> = audit
            .one_sided
            .iter()
            .map(|row| (row.detail.as_str(), row.count))
            .collect();
        assert_eq!(
            seen,
            [
                ("exit_group", 1),
                ("nmi", 3),
                ("invalid_opcode", 2),
                ("killed", 1)
            ]
        );
    }

    /// What neither end of a thread nor blindness explains is a difference.
    #[test]
    fn the_rest_is_a_difference() {
        let rows = vec![
            row(1, CauseKind::Syscall, 39, 0, 10),
            row(1, CauseKind::Return, 39, SYSCALL_STUB, 8),
        ];
        let audit = of(&snapshot(rows.clone(), &[1]).into()).expect("both families");
        assert_eq!(audit.difference, -2);
        let mut alone = snapshot(rows, &[1]);
        alone.probes.families.entry = false;
        assert_eq!(of(&alone.into()), None);
    }

    /// Of what a tracepoint was kept from, the returns are believed; and the entries of
    /// a call that nobody returned from.
    #[test]
    fn the_better_of_the_two_is_counted() {
        let snapshot = snapshot(
            vec![
                row(1, CauseKind::Syscall, 39, 0, 90),
                row(1, CauseKind::Return, 39, SYSCALL_STUB, 100),
                row(2, CauseKind::Syscall, 39, 0, 7),
                row(2, CauseKind::Return, 39, SYSCALL_STUB, 6),
                row(2, CauseKind::Return, u32::MAX, OPCODE_STUB, 3),
            ],
            &[1, 2],
        );
        let measurement = snapshot.into();
        let entries = counted_entries(&measurement);
        let counts: Vec<u64> = entries.iter().map(|entry| entry.row.count).collect();
        assert_eq!(counts, [100, 7, 3]);
    }

    /// What had no room is counted where nobody else has counted it.
    #[test]
    fn overflow_is_counted_once() {
        let both = snapshot(Vec::new(), &[]);
        let mut returns = both.clone();
        returns.probes.families.entry = false;
        let counts = |code: u8| {
            [
                counts_overflow(code, &both),
                counts_overflow(code, &returns),
            ]
        };
        assert_eq!(counts(RETURN_FROM_FAULT), [false, false]);
        assert_eq!(counts(CauseKind::Return.code()), [false, true]);
        assert_eq!(counts(CauseKind::Syscall.code()), [true, true]);
    }

    /// A first return whose entry had no room is counted as that, and not again as the
    /// return that had room.
    #[test]
    fn an_entry_without_room_is_not_counted_as_its_return() {
        let returned = row(1, CauseKind::Return, 39, SYSCALL_STUB, 3);
        let mut both = snapshot(vec![returned], &[1]);
        assert_eq!(
            build::profile(&both.clone().into()).ledger.total,
            3,
            "the better side"
        );
        both.counts.overflow.insert(CauseKind::Syscall.code(), 3);
        assert_eq!(build::profile(&both.into()).ledger.total, 3);
    }

    /// Returns that an audit had no room for are not said to be counted.
    #[test]
    fn returns_without_room_are_said_not_to_be_counted() {
        let mut both = snapshot(Vec::new(), &[]);
        both.counts.overflow.insert(CauseKind::Syscall.code(), 150);
        both.counts.overflow.insert(CauseKind::Return.code(), 186);
        let name = Loss::LedgerFull.name().to_owned();
        both.counts.losses.insert(name, 336);
        let profile = build::profile(&both.into());
        assert_eq!(profile.ledger.total, 150);
        assert_eq!(profile.accounting.map_full, 150);
        let said = &profile.accounting.inexact[0];
        assert!(said.contains("150 entries are counted"), "{said}");
        assert!(said.contains("186 returns could not be kept"), "{said}");
    }

    /// The ledger has each entry once, exceptions too.
    #[test]
    fn each_entry_is_in_the_ledger_once() {
        let call = row(1, CauseKind::Syscall, 39, 0, 1);
        let returned = row(1, CauseKind::Return, 39, SYSCALL_STUB, 1);
        let exception = row(1, CauseKind::Return, u32::MAX, OPCODE_STUB, 1);
        let signal = row(1, CauseKind::Exception, Trap::InvalidOpcode.code(), 0, 1);
        let counted = |snapshot: Snapshot| {
            let measurement = Measurement::from(snapshot);
            let ledger = measurement.ledger();
            ledger
                .map(|entry| is_counted(entry, &measurement.snapshot))
                .collect::<Vec<_>>()
        };
        let both = snapshot(vec![call, returned, exception, signal], &[]);
        assert_eq!(counted(both.clone()), [true, false, true, false]);
        let mut returns = both;
        returns.probes.families.entry = false;
        assert_eq!(counted(returns), [true, true, true, true]);
    }
}
