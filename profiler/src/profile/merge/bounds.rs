//! Tables of bounded length: a target can have processes by the ten thousand.

use std::cmp::Reverse;

use super::{
    ledger::{add_thread, instruction},
    memory::{add_beside, mapping},
    rows::{add, add_rows},
};
use crate::{
    digits::count,
    gap::{Gap, Unavailable},
    profile::model::Profile,
};

/// Rows of each table that no ordinary run reaches.
const THREADS: usize = 4_096;
const MAPPINGS: usize = 8_192;
const INSTRUCTIONS: usize = 16_384;
const STACKS: usize = 16_384;

/// Makes rows beyond the longest that a table may be, those with the least in them,
/// one for each program, place or chain: without the number of a thread or process.
/// All sums stay as they were, and how many rows it were is said.
pub fn bound(profile: &mut Profile) {
    let ledger = &mut profile.ledger;
    let threads = merge_rest(
        &mut ledger.by_thread,
        (THREADS, |row| row.total),
        |row| (row.tid, row.tgid) = (0, 0),
        |row| row.comm.clone(),
        add_thread,
    );
    let instructions = merge_rest(
        &mut ledger.by_code,
        (INSTRUCTIONS, |row| row.count),
        |row| {
            row.tgid = 0;
            if row.module_address.is_none() && row.symbol.is_none() {
                "0x0".clone_into(&mut row.user_ip);
            }
        },
        instruction,
        |known, row| add(&mut known.count, row.count),
    );
    let stacks = merge_rest(
        &mut ledger.user_stacks,
        (STACKS, |row| row.count),
        |row| row.tgid = 0,
        |row| {
            let cause = (row.cause.clone(), row.detail.clone());
            (cause, row.frames.clone(), row.truncated.clone())
        },
        |known, row| add(&mut known.count, row.count),
    );
    let mappings = merge_rest(
        &mut profile.memory.by_mapping,
        (MAPPINGS, |row| row.faults),
        |row| (row.tgid, row.start) = (0, None),
        mapping,
        add_beside,
    );
    let merged = [
        (threads, "threads"),
        (instructions, "instructions"),
        (stacks, "user stacks"),
        (mappings, "mappings"),
    ];
    let merged: Vec<String> = merged
        .into_iter()
        .filter(|(rows, _)| *rows != 0)
        .map(|(rows, what)| format!("{} {what}", count(rows as u64)))
        .collect();
    if !merged.is_empty() {
        let merged = merged.join(", ");
        let reason = format!("{merged} with the fewest entries share rows; all sums are right");
        let gap = Unavailable::new(Gap::MergedRows, reason);
        profile.accounting.unavailable.push(gap);
    }
}

/// Keeps so many rows with the most in them, and merges the others once they are bare
/// of what tells them apart. How many were merged.
fn merge_rest<R, K: Ord>(
    rows: &mut Vec<R>,
    (most, weight): (usize, impl Fn(&R) -> u64),
    bare: impl Fn(&mut R),
    key: impl Fn(&R) -> K,
    add: impl FnMut(&mut R, R),
) -> usize {
    let merged = rows.len().saturating_sub(most);
    if merged == 0 {
        return 0;
    }
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|&index| Reverse(weight(&rows[index])));
    let mut is_kept = vec![false; rows.len()];
    for &index in order.iter().take(most) {
        is_kept[index] = true;
    }
    let (kept, rest): (Vec<_>, Vec<_>) = std::mem::take(rows)
        .into_iter()
        .zip(is_kept)
        .partition(|(_, is_kept)| *is_kept);
    rows.extend(kept.into_iter().map(|(row, _)| row));
    let mut rest: Vec<R> = rest.into_iter().map(|(row, _)| row).collect();
    rest.iter_mut().for_each(bare);
    let mut others = Vec::new();
    add_rows(&mut others, rest, key, add);
    rows.extend(others);
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        collect::{counts::Counts, row::Row, snapshot::Snapshot, threads::Thread},
        profile::{build, model::ThreadRow},
        symbolize::measurement::Measurement,
    };

    /// However many processes there were, the document has a bounded number of rows
    /// with the same sums, by program too; and says how many there were.
    #[test]
    fn ten_thousands_of_processes_are_bounded() {
        let numbers = 1..=40_000_u32;
        let threads = numbers.clone().map(|tid| Thread {
            tid,
            tgid: tid,
            comm: if tid % 2 == 0 { "even" } else { "odd" }.to_owned(),
            ..Thread::default()
        });
        let rows = numbers.map(|tid| Row {
            tid,
            kind: profiler_common::cause::CauseKind::Syscall.code(),
            user_ip: 0x1000 + u64::from(tid % 3),
            count: u64::from(tid),
            ..Row::default()
        });
        let snapshot = Snapshot {
            threads: threads.collect(),
            counts: Counts {
                rows: rows.collect(),
                ..Counts::default()
            },
            ..Snapshot::default()
        };
        let profile = build::profile(&snapshot.into());
        let ledger = &profile.ledger;
        assert_eq!(ledger.total, 40_000 * 40_001 / 2);
        assert!(ledger.by_thread.len() <= THREADS + 2);
        assert!(ledger.by_code.len() <= INSTRUCTIONS + 1);
        let of = |comm: &str| -> u64 {
            let rows = ledger.by_thread.iter().filter(|row| row.comm == comm);
            rows.map(|row| row.total).sum()
        };
        assert_eq!((of("even"), of("odd")), (20_000 * 20_001, 20_000 * 20_000));
        let all: u64 = ledger.by_code.iter().map(|row| row.count).sum();
        assert_eq!(all, ledger.total);
        let mut gaps = profile.accounting.unavailable.iter();
        let said = gaps.find(|item| item.gap == Gap::MergedRows).expect("said");
        let numbers = "35,904 threads, 23,616 instructions";
        assert!(said.reason.contains(numbers), "{}", said.reason);
    }

    /// A table that is not too long stays as it is.
    #[test]
    fn ordinary_tables_are_left_alone() {
        let rows = (0..u32::try_from(THREADS).expect("small")).map(|tid| ThreadRow {
            tid,
            ..ThreadRow::default()
        });
        let mut profile = build::profile(&Measurement::default());
        profile.ledger.by_thread = rows.collect();
        let before = profile.clone();
        bound(&mut profile);
        assert_eq!(profile.ledger, before.ledger);
        assert_eq!(profile.accounting, before.accounting);
    }
}
