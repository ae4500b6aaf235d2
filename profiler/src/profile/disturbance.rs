//! What else the CPUs of measured threads did: time taken from them, which is
//! no entry of theirs.

use std::cmp::Reverse;

use profiler_common::{disturbance::Disturber, vector::Vector};

use crate::{
    collect::{disturbance::DisturbanceRow, snapshot::Snapshot},
    document::interrupts::Disturbance,
};

/// Softirqs by number: `include/linux/interrupt.h`, the same since 2.6.38.
const SOFTIRQS: [&str; 10] = [
    "hi", "timer", "net_tx", "net_rx", "block", "irq_poll", "tasklet", "sched", "hrtimer", "rcu",
];

/// The disturbances, longest first, if they were asked for.
#[must_use]
pub fn all(snapshot: &Snapshot) -> Option<Vec<Disturbance>> {
    let rows = snapshot.interruptions.disturbances.as_ref()?;
    let mut list: Vec<Disturbance> = rows.iter().map(|row| one(row, snapshot)).collect();
    list.sort_by_key(|row| Reverse(row.total_ns));
    Some(list)
}

fn one(row: &DisturbanceRow, snapshot: &Snapshot) -> Disturbance {
    let kind = Disturber::from_code(row.what);
    let what = match kind {
        Some(Disturber::Task) => row.comm.clone(),
        Some(Disturber::DeviceIrq) => snapshot
            .machine
            .interrupts_after
            .device(row.detail)
            .map_or_else(|| format!("irq{}", row.detail), str::to_owned),
        Some(Disturber::Softirq) => usize::try_from(row.detail)
            .ok()
            .and_then(|number| SOFTIRQS.get(number))
            .map_or_else(
                || format!("softirq_{}", row.detail),
                |&name| name.to_owned(),
            ),
        Some(Disturber::Vector) => Vector::from_code(row.detail).map_or_else(
            || format!("vector_{}", row.detail),
            |vector| vector.name().to_owned(),
        ),
        None => format!("code_{}", row.detail),
    };
    // The latest thread of that number.
    let known = snapshot
        .threads
        .iter()
        .rev()
        .find(|thread| thread.tid == row.tid);
    Disturbance {
        cpu: row.cpu,
        tid: row.tid,
        thread: known
            .map(|thread| &thread.comm)
            .filter(|_| row.thread.is_empty())
            .unwrap_or(&row.thread)
            .clone(),
        kind: kind.map_or("unknown", Disturber::name).to_owned(),
        what,
        count: row.count,
        total_ns: row.total_ns,
        max_ns: row.max_ns,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each kind of disturber has a name of its own kind, the longest is first.
    #[test]
    fn names_disturbers() {
        let row = |what: Disturber, detail, comm: &str, total_ns| DisturbanceRow {
            tid: 9,
            thread: "iou-sqp-8".to_owned(),
            what: what.code(),
            detail,
            comm: comm.to_owned(),
            count: 1,
            total_ns,
            max_ns: total_ns,
            ..DisturbanceRow::default()
        };
        let mut snapshot = Snapshot::default();
        snapshot.interruptions.disturbances = Some(vec![
            row(Disturber::Vector, Vector::LocalTimer.code(), "", 10),
            row(Disturber::Softirq, 9, "", 20),
            row(Disturber::Task, 0, "kworker/1:1", 30),
            row(Disturber::DeviceIrq, 36, "", 5),
        ]);
        let found: Vec<(String, String)> = all(&snapshot)
            .expect("asked for")
            .into_iter()
            .map(|row| (row.kind, row.what))
            .collect();
        let expect = [
            ("task", "kworker/1:1"),
            ("softirq", "rcu"),
            ("interrupt", "local_timer"),
            ("device_irq", "irq36"),
        ];
        assert_eq!(
            found,
            expect.map(|(kind, what)| (kind.to_owned(), what.to_owned()))
        );
    }
}
