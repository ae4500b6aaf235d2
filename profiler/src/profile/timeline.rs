//! Entries over time: what was counted in each slot of the window.

use std::collections::BTreeMap;

use super::audit;
use crate::{
    collect::timeline::{Reading, TimelineRecord},
    document::{
        profile::Ledger,
        timeline::{Timeline, TimelineRow},
    },
    symbolize::measurement::Measurement,
};

/// The timeline of a snapshot, if one was recorded.
#[must_use]
pub fn of(measurement: &Measurement, ledger: &Ledger) -> Option<Timeline> {
    let snapshot = &measurement.snapshot;
    let record = snapshot.timeline.as_ref()?;
    let end_ns = snapshot.run.window.duration_ns;
    let edges = record.readings.iter();
    let edges: Vec<&Reading> = edges.filter(|reading| reading.at_ns < end_ns).collect();
    let times = || edges.iter().map(|edge| edge.at_ns);
    let seen = seen(record, &edges, measurement);
    let rows = ledger.by_cause.iter().map(|row| {
        let key = (row.cause.to_string(), row.detail.clone());
        TimelineRow {
            counts: between(seen.get(&key).map_or(&[], Vec::as_slice), &edges, row.count),
            cause: row.cause.clone(),
            detail: key.1,
        }
    });
    let lost: Vec<u64> = edges.iter().map(|edge| edge.lost).collect();
    let in_all = snapshot.counts.losses.values().sum();
    Some(Timeline {
        interval_ns: record.interval_ns,
        rows: rows.collect(),
        losses: between(&lost, &edges, in_all),
        starts_ns: std::iter::once(0).chain(times()).collect(),
        ends_ns: times().chain([end_ns]).collect(),
        reading_ns: record.longest_ns,
    })
}

/// By cause and detail: what had been counted at each edge.
fn seen(
    record: &TimelineRecord,
    edges: &[&Reading],
    measurement: &Measurement,
) -> BTreeMap<(String, String), Vec<u64>> {
    let snapshot = &measurement.snapshot;
    let mut seen: BTreeMap<(String, String), Vec<u64>> = BTreeMap::new();
    let causes = record.causes.iter().zip(measurement.timeline());
    for (place, (key, entry)) in causes.enumerate() {
        let name = if key.is_overflow {
            if !audit::counts_overflow(key.kind, snapshot) {
                continue;
            }
            super::ledger::overflow_name(key.kind)
        } else if audit::is_counted(entry, snapshot) {
            (entry.cause.kind(), entry.cause.detail())
        } else {
            continue;
        };
        let name = (name.0.name().to_owned(), name.1);
        let counts = seen.entry(name).or_insert_with(|| vec![0; edges.len()]);
        for (count, edge) in counts.iter_mut().zip(edges) {
            *count += edge.counts.get(place).copied().unwrap_or(0);
        }
    }
    seen
}

/// From what had been counted at each edge to what was counted between them.
/// Nothing is counted backwards, and the end is known exactly.
fn between(seen: &[u64], edges: &[&Reading], in_all: u64) -> Vec<u64> {
    let mut before = 0;
    let mut counts = Vec::with_capacity(edges.len() + 1);
    for place in 0..edges.len() {
        let now = seen
            .get(place)
            .copied()
            .unwrap_or(0)
            .min(in_all)
            .max(before);
        counts.push(now - before);
        before = now;
    }
    counts.push(in_all - before);
    counts
}

#[cfg(test)]
mod tests {
    use profiler_common::cause::CauseKind;

    use super::*;
    use crate::{
        collect::{row::Row, snapshot::Snapshot, timeline::CauseKey},
        profile::{ledger, model::CauseRow},
    };

    fn key(kind: CauseKind, detail: u32) -> CauseKey {
        CauseKey {
            kind: kind.code(),
            detail,
            ..CauseKey::default()
        }
    }

    fn reading(at_ns: u64, counts: &[u64]) -> Reading {
        Reading {
            at_ns,
            counts: counts.to_vec(),
            lost: 0,
        }
    }

    /// Slots add up to the ledger whatever the readings say: a row that has
    /// shrunk, one that was seen to have more than in the end, one never seen.
    #[test]
    fn slots_add_up() {
        let row = |kind: CauseKind, detail, count| Row {
            kind: kind.code(),
            detail,
            count,
            ..Row::default()
        };
        let mut snapshot = Snapshot::default();
        snapshot.counts.rows = vec![
            row(CauseKind::Syscall, 39, 100),
            row(CauseKind::Nmi, 0, 7),
            row(CauseKind::Syscall, 110, 5),
        ];
        snapshot.run.window.duration_ns = 400;
        snapshot
            .counts
            .overflow
            .insert(CauseKind::PageFault.code(), 3);
        snapshot.timeline = Some(TimelineRecord {
            interval_ns: 100,
            causes: vec![
                key(CauseKind::Syscall, 39),
                CauseKey {
                    is_overflow: true,
                    ..key(CauseKind::PageFault, 0)
                },
                key(CauseKind::Nmi, 0),
            ],
            // The last one came when the window was closed.
            readings: vec![
                reading(100, &[40]),
                reading(200, &[30, 1, 9]),
                reading(300, &[90, 1, 7]),
                reading(401, &[100, 3, 7]),
            ],
            longest_ns: 1,
        });
        let measurement = snapshot.into();
        let ledger = ledger::build(&measurement);
        let timeline = of(&measurement, &ledger).expect("recorded");
        assert_eq!(timeline.starts_ns, [0, 100, 200, 300]);
        assert_eq!(timeline.ends_ns, [100, 200, 300, 400]);
        let of_row = |row: &CauseRow| {
            let mut rows = timeline.rows.iter();
            let found = rows.find(|own| own.cause == row.cause && own.detail == row.detail);
            found.expect("each row of the ledger").counts.clone()
        };
        for row in &ledger.by_cause {
            assert_eq!(of_row(row).iter().sum::<u64>(), row.count, "{row:?}");
        }
        assert_eq!(of_row(&ledger.by_cause[0]), [40, 0, 50, 10]);
        let faults = ledger
            .by_cause
            .iter()
            .find(|row| row.cause == CauseKind::PageFault);
        assert_eq!(of_row(faults.expect("overflow")), [0, 1, 0, 2]);
    }
}
