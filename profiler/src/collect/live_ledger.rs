//! Reading the ledger and the caches in front of it while programs write them.
//!
//! A count lies in a cache line until another row takes the line over; then it
//! moves to the ledger, and the line says so meanwhile. One reading cannot be of one moment: a count that moves
//! meanwhile would be seen in both places, or in none. So the ledger is read
//! before and after the caches, and the caches twice. A row whose place in the
//! ledger did not change, and whose lines stayed its own, did not move: its sum
//! is right to what it counted during the reading. Rows that did move are read
//! again, a few times; one that moves all the time is taken for too little, by
//! what it counted since the reading before at most, and never for too much.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use aya::{Ebpf, maps::Map};
use profiler_common::{
    key::{CacheLine, LedgerKey},
    names::map,
};

use super::{
    batch,
    bpf_maps::{find, hash},
    counts::lines,
};

/// Entries by row.
pub type LiveLedger = BTreeMap<LedgerKey, u64>;

/// Readings of rows that do not stand still.
const ATTEMPTS: usize = 3;

/// What is in the caches.
type Lines = Vec<CacheLine>;

/// Reads the ledger as it is about now.
///
/// # Errors
/// If a map cannot be read.
pub fn read(ebpf: &Ebpf) -> Result<LiveLedger> {
    let mut settling = Settling::default();
    let mut before = rows(ebpf)?;
    for _ in 0..ATTEMPTS {
        let lines = [lines(ebpf)?, lines(ebpf)?];
        let after = rows(ebpf)?;
        if settling.add(&before, &lines, &after) {
            break;
        }
        before = after;
    }
    Ok(settling.counts)
}

fn rows(ebpf: &Ebpf) -> Result<LiveLedger> {
    if let Map::HashMap(data) = find(ebpf, map::LEDGER)?
        && let Some((keys, counts)) = batch::read(data, 1)?
    {
        return Ok(keys.into_iter().zip(counts).collect());
    }
    Ok(hash(ebpf, map::LEDGER)?.into_iter().collect())
}

/// Counts as far as they are known.
#[derive(Default)]
struct Settling {
    counts: LiveLedger,
    /// Rows that stood still while they were read.
    settled: BTreeSet<LedgerKey>,
}

impl Settling {
    /// Adds what was read, in the order in which it was. Whether all rows have
    /// stood still now.
    fn add(&mut self, before: &LiveLedger, lines: &[Lines; 2], after: &LiveLedger) -> bool {
        let mut held = LiveLedger::new();
        let mut moved = BTreeSet::new();
        for (line, later) in lines[0].iter().zip(&lines[1]) {
            let is_moving = line.moving != 0 || later.moving != 0;
            if line.key == later.key && line.count <= later.count && !is_moving {
                if line.count != 0 {
                    *held.entry(line.key).or_default() += line.count;
                }
                continue;
            }
            moved.insert(later.key);
            if line.count != 0 || is_moving {
                moved.insert(line.key);
            }
        }
        for (key, count) in after {
            if before.get(key) != Some(count) {
                moved.insert(*key);
            }
        }
        let keys: BTreeSet<&LedgerKey> = after.keys().chain(held.keys()).chain(&moved).collect();
        for key in keys {
            if self.settled.contains(key) {
                continue;
            }
            let of = |counts: &LiveLedger| counts.get(key).copied().unwrap_or(0);
            let least = of(after).max(of(before) + of(&held));
            let known = self.counts.entry(*key).or_default();
            *known = least.max(*known);
            if !moved.contains(key) {
                self.settled.insert(*key);
            }
        }
        moved.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Programs that count, as far as a reader can tell.
    #[derive(Default)]
    struct Machine {
        ledger: LiveLedger,
        lines: Lines,
        /// By line: counts that are in neither.
        on_their_way: BTreeMap<usize, u64>,
        /// What has really been counted.
        truth: LiveLedger,
    }

    impl Machine {
        /// Counts on one line, which may be another row's. Does the next step of that
        /// only, where the line is being taken over.
        fn count(&mut self, line: usize, key: LedgerKey) {
            let held = &mut self.lines[line];
            match held.moving {
                0 if held.key == key => {
                    held.count += 1;
                    *self.truth.entry(key).or_default() += 1;
                }
                0 => held.moving = 1,
                1 => {
                    self.on_their_way.insert(line, held.count);
                    (held.count, held.moving) = (0, 2);
                }
                2 => {
                    let count = self.on_their_way.remove(&line).unwrap_or(0);
                    if count != 0 {
                        *self.ledger.entry(held.key).or_default() += count;
                    }
                    held.moving = 3;
                }
                _ => {
                    (held.key, held.count, held.moving) = (key, 1, 0);
                    *self.truth.entry(key).or_default() += 1;
                }
            }
        }
    }

    fn key(tid: u32) -> LedgerKey {
        LedgerKey {
            tid,
            ..LedgerKey::default()
        }
    }

    /// Counting goes on, at random, between any two things that the reader reads:
    /// no row is ever taken for more than it has counted by the end, and one that
    /// has settled for no less than at the beginning of its reading.
    #[test]
    fn readings_are_never_too_high_and_settled_ones_not_too_low() {
        let mut rng = workload::rng::Rng::new(1);
        let mut next = |bound: u32| u32::try_from(rng.below(bound.into())).expect("below a u32");
        let mut settled = 0;
        for _ in 0..600 {
            let mut machine = Machine {
                lines: vec![CacheLine::default(); 3],
                ..Machine::default()
            };
            // From busy machines to idle ones.
            let most = 1 + next(30);
            let mut work = |machine: &mut Machine, most: u32| {
                for _ in 0..next(most) {
                    let line = next(3);
                    // Each line has two rows of its own and one that all have.
                    let row = [line, line + 10, 99][next(3) as usize];
                    machine.count(line as usize, key(row));
                }
            };
            work(&mut machine, 200);
            let mut reading = Settling::default();
            let mut before = machine.ledger.clone();
            let mut begin = machine.truth.clone();
            for _ in 0..ATTEMPTS {
                work(&mut machine, most);
                let mut pass = || {
                    let mut lines = Lines::new();
                    for line in 0..machine.lines.len() {
                        // A line may change while it is copied, too: its count
                        // comes first.
                        let count = machine.lines[line].count;
                        work(&mut machine, 2);
                        lines.push(CacheLine {
                            count,
                            ..machine.lines[line]
                        });
                    }
                    lines
                };
                let lines = [pass(), pass()];
                work(&mut machine, most);
                let after = machine.ledger.clone();
                let known = reading.settled.clone();
                let all = reading.add(&before, &lines, &after);
                for (key, &count) in &reading.counts {
                    // A line that nothing has been counted on has a row, too: of zero.
                    let truth = machine.truth.get(key).copied().unwrap_or(0);
                    assert!(count <= truth, "{key:?}");
                }
                for key in reading.settled.difference(&known) {
                    let least = begin.get(key).copied().unwrap_or(0);
                    assert!(reading.counts[key] >= least, "{key:?}");
                    settled += 1;
                }
                if all {
                    break;
                }
                before = after;
                begin = machine.truth.clone();
            }
        }
        assert!(settled > 2_000, "{settled}");
    }
}
