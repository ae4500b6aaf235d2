//! Taking the ledger's totals now and then, while it is being written.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::Result;
use aya::Ebpf;
use profiler_common::{cause::CauseKind, fault::detail};
use serde::{Deserialize, Serialize};

use super::{
    counts::{self, full_address, without_major},
    live_ledger::LiveLedger,
};
use crate::sys::monotonic_ns;

/// Slots kept at most. Beyond that they are merged two by two, and from then on
/// are twice as long.
pub const MOST_SLOTS: usize = 2048;
/// Counts kept at most, slots times causes: 8 MB.
const MOST_COUNTS: usize = 1 << 20;
/// Reading may take one part in this many of the profiler's time.
const DUTY: u32 = 4;

/// Longer than any measurement.
const FOR_EVER: Duration = Duration::from_secs(u32::MAX as u64);

/// What is told apart over time: a row of the ledger, of whichever thread and code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CauseKey {
    /// As in [`Row`](super::row::Row).
    pub kind: u8,
    /// As in [`Row`](super::row::Row).
    pub detail: u32,
    /// As in [`Row`](super::row::Row).
    pub stub_return: u64,
    /// As in [`Row`](super::row::Row).
    pub flags: u8,
    /// Whether these are entries whose row did not fit.
    pub is_overflow: bool,
}

/// What had been counted at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// When, after the window's beginning.
    pub at_ns: u64,
    /// Entries since the beginning, in the order of the causes; those that are
    /// not there yet had none.
    pub counts: Vec<u64>,
    /// What could not be kept until then.
    pub lost: u64,
}

/// All that was recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineRecord {
    /// The interval asked for.
    pub interval_ns: u64,
    /// What was told apart, in the order in which it was seen.
    pub causes: Vec<CauseKey>,
    /// Readings in order of time, without the beginning and the end.
    pub readings: Vec<Reading>,
    /// The longest time that one took.
    pub longest_ns: u64,
}

/// Records readings at an interval.
pub struct Recorder {
    interval: Duration,
    /// When the next one is due.
    due: Instant,
    begun_ns: u64,
    places: BTreeMap<CauseKey, usize>,
    record: TimelineRecord,
}

impl Recorder {
    /// Begins with the window.
    #[must_use]
    pub fn begin(interval: Duration, begun_ns: u64) -> Self {
        Self {
            interval,
            due: Instant::now() + interval,
            begun_ns,
            places: BTreeMap::new(),
            record: TimelineRecord {
                interval_ns: u64::try_from(interval.as_nanos()).unwrap_or(u64::MAX),
                ..TimelineRecord::default()
            },
        }
    }

    /// Takes no more readings: what is left of the window is one slot.
    pub fn give_up(&mut self) {
        self.due += FOR_EVER;
    }

    /// When the next reading is due.
    #[must_use]
    pub fn due(&self) -> Instant {
        self.due
    }

    /// Takes a reading.
    ///
    /// # Errors
    /// If a map cannot be read.
    pub fn read(&mut self, ebpf: &Ebpf) -> Result<()> {
        let begin = Instant::now();
        let ledger = super::live_ledger::read(ebpf)?;
        let at_ns = monotonic_ns().saturating_sub(self.begun_ns);
        let overflow = counts::overflow(ebpf)?;
        let lost = counts::losses(ebpf)?.values().sum();
        self.add(at_ns, totals(&ledger, &overflow), lost);
        let took = begin.elapsed();
        let took_ns = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.record.longest_ns = self.record.longest_ns.max(took_ns);
        // In step with the beginning; a slot that was missed is not made up for.
        let rest = Instant::now() + took * DUTY;
        while self.due < rest {
            self.due += self.interval;
        }
        Ok(())
    }

    fn add(&mut self, at_ns: u64, totals: BTreeMap<CauseKey, u64>, lost: u64) {
        let mut counts = vec![0; self.record.causes.len()];
        for (key, count) in totals {
            let causes = &mut self.record.causes;
            let place = *self.places.entry(key).or_insert_with(|| {
                causes.push(key);
                counts.push(0);
                causes.len() - 1
            });
            counts[place] = count;
        }
        self.record.readings.push(Reading {
            at_ns,
            counts,
            lost,
        });
        while self.is_too_much() {
            self.merge();
        }
    }

    fn is_too_much(&self) -> bool {
        let slots = self.record.readings.len() + 1;
        slots > MOST_SLOTS || (slots > 2 && slots * self.record.causes.len() > MOST_COUNTS)
    }

    /// Leaves out every other edge: what is kept counts from the beginning.
    fn merge(&mut self) {
        let mut stays = false;
        self.record.readings.retain(|_| {
            stays = !stays;
            !stays
        });
        self.interval *= 2;
    }

    /// All that was recorded.
    #[must_use]
    pub fn finish(self) -> TimelineRecord {
        self.record
    }
}

/// Totals over threads and code.
fn totals(ledger: &LiveLedger, overflow: &BTreeMap<u8, u64>) -> BTreeMap<CauseKey, u64> {
    let mut totals = BTreeMap::new();
    for (key, count) in ledger {
        let key = CauseKey {
            kind: key.kind,
            detail: key.detail,
            stub_return: full_address(key.slot),
            flags: key.flags,
            is_overflow: false,
        };
        *totals.entry(key).or_default() += count;
    }
    without_major(&mut totals, |key| {
        let is_fault = key.kind == CauseKind::PageFault.code();
        (is_fault && key.detail & detail::MAJOR != 0).then_some(CauseKey {
            detail: key.detail & !detail::MAJOR,
            ..*key
        })
    });
    for (&kind, &count) in overflow {
        let key = CauseKey {
            kind,
            is_overflow: true,
            ..CauseKey::default()
        };
        totals.insert(key, count);
    }
    totals
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorder() -> Recorder {
        Recorder::begin(Duration::from_millis(100), 0)
    }

    fn key(detail: u32) -> CauseKey {
        CauseKey {
            detail,
            ..CauseKey::default()
        }
    }

    /// However long it goes on, there are no more slots than there may be, the
    /// latest reading is the last, and the interval has grown.
    #[test]
    fn slots_are_bounded() {
        let mut recorder = recorder();
        let end = recorder.interval * 3 * u32::try_from(MOST_SLOTS).expect("small");
        let mut now = Duration::ZERO;
        while now < end {
            now += recorder.interval;
            let at_ns = u64::try_from(now.as_nanos()).expect("small");
            recorder.add(at_ns, BTreeMap::from([(key(1), at_ns)]), 0);
            assert!(recorder.record.readings.len() < MOST_SLOTS);
        }
        assert_eq!(recorder.interval, Duration::from_millis(400));
        let record = recorder.finish();
        let mut readings = record.readings.iter();
        assert!(readings.all(|reading| reading.counts == [reading.at_ns]));
        let last = record.readings.last().expect("many").at_ns;
        assert_eq!(u128::from(last), now.as_nanos());
    }

    /// A program that makes ever new system calls cannot fill the memory.
    #[test]
    fn causes_are_bounded() {
        let mut recorder = recorder();
        for at_ns in 1..20_u32 {
            let totals = (0..at_ns * 4_000).map(|detail| (key(detail), 1));
            recorder.add(u64::from(at_ns), totals.collect(), 0);
            let slots = recorder.record.readings.len() + 1;
            assert!(slots * recorder.record.causes.len() <= MOST_COUNTS);
        }
    }
}
