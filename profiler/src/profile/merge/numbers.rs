//! The same processes and threads in another run.
//!
//! Each run has numbers of its own for them. In a sum, a process is known by its
//! name, and by its place among those of the same name; a thread likewise within
//! its process. They have the numbers of the first run that had them.

use std::collections::{BTreeMap, BTreeSet};

use crate::profile::model::{Profile, ThreadRow};

/// A name, and which of its bearers.
type Nth = (String, usize);

/// Numbers in the other run, and in the sum.
#[derive(Debug, Default)]
struct Numbers {
    processes: BTreeMap<u32, u32>,
    threads: BTreeMap<u32, u32>,
}

/// Gives the processes and threads of a run the numbers that they have in the sum.
pub(super) fn renumber(run: &mut Profile, sum: &Profile) {
    let known = &sum.ledger.by_thread;
    let mut taken: BTreeSet<u32> = known.iter().flat_map(|row| [row.tid, row.tgid]).collect();
    let mut numbers = Numbers::default();
    let bearers: BTreeMap<Nth, u32> = processes(known)
        .into_iter()
        .map(|(number, name)| (name, number))
        .collect();
    for (number, name) in processes(&run.ledger.by_thread) {
        let in_sum = bearers.get(&name).copied();
        let in_sum = in_sum.unwrap_or_else(|| free(number, &mut taken));
        numbers.processes.insert(number, in_sum);
    }
    let bearers: BTreeMap<(u32, Nth), u32> = threads(known, process)
        .into_iter()
        .zip(known)
        .map(|(name, row)| (name, row.tid))
        .collect();
    let of_sum = |row: &ThreadRow| numbers.processes.get(&process(row)).copied();
    let names = threads(&run.ledger.by_thread, |row| of_sum(row).unwrap_or(row.tgid));
    for (row, name) in run.ledger.by_thread.iter_mut().zip(names) {
        let (in_process, _) = name;
        let is_first = process(row) == row.tid;
        let tid = match bearers.get(&name) {
            Some(&tid) => tid,
            None if is_first => in_process,
            None => free(row.tid, &mut taken),
        };
        numbers.threads.insert(row.tid, tid);
        row.tid = tid;
        if row.tgid != 0 {
            row.tgid = in_process;
        }
    }
    numbers.apply(run);
}

impl Numbers {
    /// Changes them everywhere but in the table of threads.
    fn apply(&self, run: &mut Profile) {
        let change = |numbers: &BTreeMap<u32, u32>, number: &mut u32| {
            if let Some(&in_sum) = numbers.get(number) {
                *number = in_sum;
            }
        };
        let process = |number: &mut u32| change(&self.processes, number);
        let thread = |number: &mut u32| change(&self.threads, number);
        let ledger = &mut run.ledger;
        ledger
            .by_code
            .iter_mut()
            .for_each(|row| process(&mut row.tgid));
        ledger
            .user_stacks
            .iter_mut()
            .for_each(|row| process(&mut row.tgid));
        let memory = &mut run.memory;
        memory
            .by_mapping
            .iter_mut()
            .for_each(|row| process(&mut row.tgid));
        memory
            .allocations
            .iter_mut()
            .for_each(|row| process(&mut row.tgid));
        for row in run.senders.iter_mut().flatten() {
            process(&mut row.tgid);
            thread(&mut row.tid);
            thread(&mut row.target_tid);
        }
        for row in run.disturbance.iter_mut().flatten() {
            thread(&mut row.tid);
        }
    }
}

/// The process of a thread. Where it is not known, it is named after the thread.
fn process(row: &ThreadRow) -> u32 {
    if row.tgid == 0 { row.tid } else { row.tgid }
}

/// Processes in the order in which they began: number, and name as of its first
/// thread, or of any where that one is not there.
fn processes(rows: &[ThreadRow]) -> Vec<(u32, Nth)> {
    let mut order: Vec<u32> = Vec::new();
    let mut names: BTreeMap<u32, &str> = BTreeMap::new();
    for row in rows {
        let number = process(row);
        if names.insert(number, &row.comm).is_none() {
            order.push(number);
        }
    }
    for row in rows.iter().filter(|row| process(row) == row.tid) {
        names.insert(row.tid, &row.comm);
    }
    let mut bearers: BTreeMap<&str, usize> = BTreeMap::new();
    order
        .into_iter()
        .map(|number| {
            let name = names.get(&number).copied().unwrap_or_default();
            (number, (name.to_owned(), next(&mut bearers, name)))
        })
        .collect()
}

/// Each row's process, name, and place among those of that name in it.
fn threads(rows: &[ThreadRow], process: impl Fn(&ThreadRow) -> u32) -> Vec<(u32, Nth)> {
    let mut bearers: BTreeMap<(u32, &str), usize> = BTreeMap::new();
    rows.iter()
        .map(|row| {
            let process = process(row);
            let place = next(&mut bearers, (process, row.comm.as_str()));
            (process, (row.comm.clone(), place))
        })
        .collect()
}

/// How many had that name before.
fn next<K: Ord>(bearers: &mut BTreeMap<K, usize>, name: K) -> usize {
    let before = bearers.entry(name).or_default();
    *before += 1;
    *before - 1
}

/// The number itself, or where another one has it already, the next that nobody has.
fn free(number: u32, taken: &mut BTreeSet<u32>) -> u32 {
    let number = if taken.contains(&number) {
        let last = taken.last().and_then(|last| last.checked_add(1));
        last.unwrap_or(number)
    } else {
        number
    };
    taken.insert(number);
    number
}
