//! The ledger, and all that is counted beside it.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use aya::{
    Ebpf,
    maps::{Map, MapData, PerCpuArray},
    util::nr_cpus,
};
use profiler_common::{
    cause::CauseKind,
    fault::detail,
    key::{CacheLine, LedgerKey, StackKey},
    loss::Loss,
    names::map,
    submission,
};
use serde::{Deserialize, Serialize};

use super::{
    batch,
    bpf_maps::{find, frames_of, hash, per_cpu_totals},
    row::{Row, StackRow, SubmissionRow},
};
use crate::probe::settings::Settings;

/// What the programs have counted.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Counts {
    /// The ledger.
    pub rows: Vec<Row>,
    /// Entries whose row did not fit, by the cause's code.
    pub overflow: BTreeMap<u8, u64>,
    /// What could not be kept, by reason.
    pub losses: BTreeMap<String, u64>,
    /// Stacks, if they were asked for.
    pub stacks: Vec<StackRow>,
    /// Submissions to an io_uring, if they were to be counted.
    pub submissions: Option<Vec<SubmissionRow>>,
}

impl Counts {
    /// Reads them out, once the programs are detached.
    ///
    /// # Errors
    /// If a map cannot be read.
    pub fn read(ebpf: &Ebpf, settings: &Settings) -> Result<Self> {
        let has_stacks = settings.stacks.interval() != 0;
        Ok(Self {
            rows: ledger(ebpf)?,
            overflow: overflow(ebpf)?,
            losses: losses(ebpf)?,
            stacks: if has_stacks {
                stacks(ebpf)?
            } else {
                Vec::new()
            },
            submissions: settings.io_uring.then(|| submissions(ebpf)).transpose()?,
        })
    }
}

/// The upper half of every kernel text address.
const KERNEL_HALF: u64 = 0xffff_ffff_0000_0000;

/// The ledger: its rows, and what still lies in the caches in front of it.
///
/// # Errors
/// If a map cannot be read.
pub fn ledger(ebpf: &Ebpf) -> Result<Vec<Row>> {
    let lines = lines_at_rest(|| lines(ebpf))?;
    let mut counts: BTreeMap<LedgerKey, u64> = hash(ebpf, map::LEDGER)?.into_iter().collect();
    for held in lines.iter().filter(|held| held.count != 0) {
        *counts.entry(held.key).or_default() += held.count;
    }
    without_major(&mut counts, |key| {
        let is_fault = key.kind == CauseKind::PageFault.code();
        (is_fault && key.detail & detail::MAJOR != 0).then_some(LedgerKey {
            detail: key.detail & !detail::MAJOR,
            ..*key
        })
    });
    Ok(counts
        .into_iter()
        .map(|(key, count)| row(&key, count))
        .collect())
}

/// How long a program that was preempted when the window closed may take to go on.
const PATIENCE: Duration = Duration::from_secs(10);

/// The cache once no program moves a count from it to the ledger, which must not be
/// read before: the count would be in neither.
///
/// Detaching does not wait for programs that run, and from Linux 7.1 on they can be
/// preempted: one that began before the window closed may still be at it. No other
/// begins; but lines were copied while that one went on, so they are read once more.
fn lines_at_rest(mut read: impl FnMut() -> Result<Vec<CacheLine>>) -> Result<Vec<CacheLine>> {
    let began = Instant::now();
    while read()?.iter().any(|line| line.moving != 0) {
        ensure!(
            began.elapsed() < PATIENCE,
            "a program is still counting, though nothing is to be counted any more"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
    read()
}

/// The lines of the cache: those of each CPU, one after the other.
pub(super) fn lines(ebpf: &Ebpf) -> Result<Vec<CacheLine>> {
    let cpus = nr_cpus().map_err(|(path, error)| anyhow::anyhow!("{path}: {error}"))?;
    let cache = find(ebpf, map::CACHE)?;
    if let Map::PerCpuArray(data) = cache
        && let Some((_, lines)) = batch::read::<u32, CacheLine>(data, cpus)?
    {
        return Ok(lines);
    }
    let cache: PerCpuArray<&MapData, CacheLine> = cache.try_into()?;
    let mut lines = Vec::new();
    for of_cpus in cache.iter() {
        lines.extend(of_cpus?.iter().copied());
    }
    Ok(lines)
}

/// A row as the rest of the profiler sees it.
fn row(key: &LedgerKey, count: u64) -> Row {
    let &LedgerKey {
        tid,
        born,
        user_ip,
        detail,
        slot,
        phase,
        kind,
        flags,
        padding: _,
    } = key;
    Row {
        tid,
        generation: born,
        user_ip,
        detail,
        stub_return: full_address(slot),
        phase,
        kind,
        flags,
        count,
    }
}

/// The word whose low half a key holds: the kernel's text lies in the last 2 GiB,
/// what is below that in its half is the code of an event, or nothing.
pub(super) fn full_address(slot: u32) -> u64 {
    if slot >> 31 == 0 {
        u64::from(slot)
    } else {
        u64::from(slot) | KERNEL_HALF
    }
}

/// Entries whose row did not fit, by the cause's code.
///
/// # Errors
/// If the map cannot be read.
pub fn overflow(ebpf: &Ebpf) -> Result<BTreeMap<u8, u64>> {
    let totals = per_cpu_totals(ebpf, map::OVERFLOW)?;
    Ok((0u8..)
        .zip(totals)
        .filter(|&(_, total)| total != 0)
        .collect())
}

/// What could not be kept, by reason: also those that did not happen.
///
/// # Errors
/// If the map cannot be read.
pub fn losses(ebpf: &Ebpf) -> Result<BTreeMap<String, u64>> {
    let totals = per_cpu_totals(ebpf, map::LOSSES)?;
    Ok(Loss::ALL
        .iter()
        .zip(totals)
        .map(|(loss, total)| (loss.name().to_owned(), total))
        .collect())
}

/// Submissions to an io_uring, by phase: only phases that had any.
///
/// # Errors
/// If the map cannot be read.
pub fn submissions(ebpf: &Ebpf) -> Result<Vec<SubmissionRow>> {
    let totals = per_cpu_totals(ebpf, map::SUBMISSIONS)?;
    let ways = submission::WAYS as usize;
    let rows = (0u16..).zip(totals.chunks_exact(ways));
    Ok(rows
        .map(|(phase, counts)| SubmissionRow {
            phase,
            by_sq_thread: counts[submission::BY_SQ_THREAD as usize],
            by_enter: counts[submission::BY_ENTER as usize],
        })
        .filter(|row| row.by_sq_thread + row.by_enter != 0)
        .collect())
}

/// The stacks taken.
///
/// # Errors
/// If a map cannot be read.
pub fn stacks(ebpf: &Ebpf) -> Result<Vec<StackRow>> {
    let frames = frames_of(ebpf)?;
    let rows = hash::<StackKey, u64>(ebpf, map::STACK_LEDGER)?;
    Ok(rows
        .into_iter()
        .map(|(key, count)| StackRow {
            row: Row {
                tid: key.tid,
                generation: key.born,
                user_ip: 0,
                detail: key.detail,
                stub_return: full_address(key.slot),
                phase: key.phase,
                kind: key.kind,
                flags: key.flags,
                count,
            },
            kernel: frames(key.kernel_stack),
            user: frames(key.user_stack),
        })
        .collect())
}

/// Takes the major faults out of the rows that hold them too, so that each fault
/// is in one row. `counterpart` gives the row that a major one is also in.
pub(super) fn without_major<K: Ord + Copy>(
    counts: &mut BTreeMap<K, u64>,
    counterpart: impl Fn(&K) -> Option<K>,
) {
    let keys: Vec<(K, K)> = counts
        .keys()
        .filter_map(|key| Some((*key, counterpart(key)?)))
        .collect();
    for (major, all) in keys {
        // Where there was no room for a row, the two may have come apart.
        let known = counts.get(&all).copied().unwrap_or(0);
        let taken = counts.get(&major).copied().unwrap_or(0).min(known);
        counts.insert(major, taken);
        counts.insert(all, known - taken);
    }
    counts.retain(|_, count| *count != 0);
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;

    /// However far a program has come with taking a line over when it is read, and
    /// however it goes on: no count is lost and none is there twice.
    #[test]
    fn a_count_on_its_way_is_waited_for() {
        let key = |tid| LedgerKey {
            tid,
            ..LedgerKey::default()
        };
        for (begun, during) in (0..6).flat_map(|begun| (0..6).map(move |during| (begun, during))) {
            let line = RefCell::new(CacheLine {
                count: 5,
                key: key(1),
                ..CacheLine::default()
            });
            let (done, ledger) = (Cell::new(0), Cell::new(0));
            // As `take_over` in the programs does it.
            let step = || {
                let mut line = line.borrow_mut();
                match done.replace(done.get() + 1) {
                    0 => line.moving = 1,
                    1 => line.count = 0,
                    2 => ledger.set(5),
                    3 => (line.key, line.count) = (key(2), 1),
                    4 => line.moving = 0,
                    _ => {}
                }
            };
            (0..begun).for_each(|_| step());
            let is_on_its_way = begun != 0;
            let found = lines_at_rest(|| {
                let count = line.borrow().count;
                if is_on_its_way {
                    (0..during).for_each(|_| step());
                }
                let copied = CacheLine {
                    count,
                    ..*line.borrow()
                };
                if is_on_its_way {
                    step();
                }
                Ok(vec![copied])
            });
            let found = found.expect("it comes to rest");
            let of_line = [1, 2].map(|tid| {
                if found[0].key == key(tid) {
                    found[0].count
                } else {
                    0
                }
            });
            let expected = [5, u64::from(is_on_its_way)];
            assert_eq!(
                [of_line[0] + ledger.get(), of_line[1]],
                expected,
                "{begun} {during}"
            );
        }
    }
}
