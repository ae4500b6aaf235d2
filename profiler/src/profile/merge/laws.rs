//! What holds of the sum of any runs.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*, test_runner::Config};

use super::runs::merge;
use crate::{
    profile::{
        arbitrary, build,
        model::{CodeRow, MappingRow, Profile, ThreadRow},
    },
    symbolize::measurement::Measurement,
};

/// Runs of one command on one machine.
fn runs(most: usize) -> impl Strategy<Value = Vec<Profile>> {
    vec(arbitrary::profile(), 1..=most).prop_map(|mut runs| {
        for run in &mut runs {
            run.target.command = vec!["./a".to_owned()];
            run.host.kernel = "6.1".to_owned();
        }
        runs
    })
}

fn sum(mut runs: Vec<Profile>) -> Profile {
    let first = runs.remove(0);
    merge(first, runs).expect("alike")
}

/// Every count of a profile by what it is of. Numbers of processes and threads
/// and the order of rows are not part of it.
fn counts(run: &Profile) -> BTreeMap<String, u64> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut say = |name: String, count: u64| {
        let sum = counts.entry(name).or_default();
        *sum = sum.saturating_add(count);
    };
    say("runs".to_owned(), run.runs);
    say("total".to_owned(), run.ledger.total);
    say("window".to_owned(), run.window.duration_ns);
    for phase in &run.window.phases {
        // What is unknown in one run is so in the sum, as the largest number is.
        let ns = phase.duration_ns.unwrap_or(u64::MAX);
        say(format!("phase {}", phase.name), ns);
    }
    for row in &run.ledger.by_cause {
        let name = format!("cause {} {}", row.cause, row.detail);
        for (phase, &count) in &row.phases {
            say(format!("{name} {phase}"), count);
        }
        say(name, row.count);
    }
    for row in &run.ledger.by_code {
        let place = (&row.symbol, &row.file, row.line);
        let module = (&row.module, &row.module_address);
        say(
            format!("code {} {} {place:?} {module:?}", row.cause, row.detail),
            row.count,
        );
    }
    for row in &run.ledger.by_thread {
        say(format!("thread {}", row.comm), row.total);
    }
    for row in &run.memory.by_mapping {
        let place = (&row.kind, &row.path, &row.allocated_at);
        say(format!("mapping {place:?}"), row.faults);
    }
    counts
}

/// Adds the counts of several runs without merging them.
fn added(runs: &[Profile]) -> BTreeMap<String, u64> {
    let mut sum: BTreeMap<String, u64> = BTreeMap::new();
    for (name, count) in runs.iter().flat_map(counts) {
        let known = sum.entry(name).or_default();
        *known = known.saturating_add(count);
    }
    sum
}

fn json(run: &Profile) -> serde_json::Value {
    serde_json::to_value(run).expect("a document")
}

proptest! {
    #![proptest_config(Config::with_cases(256))]

    /// One run is its own sum, to the last word.
    #[test]
    fn one_run_is_its_own_sum(run in arbitrary::profile()) {
        prop_assert_eq!(json(&sum(vec![run.clone()])), json(&run));
    }

    /// Each count of the sum is the sum of the runs' counts, and nothing is in it
    /// besides.
    #[test]
    fn counts_add_up(runs in runs(4)) {
        prop_assert_eq!(counts(&sum(runs.clone())), added(&runs));
    }

    /// Neither the order of the runs nor how they are put together changes a count.
    #[test]
    fn order_does_not_matter(runs in runs(4), split in 1..4_usize) {
        let whole = counts(&sum(runs.clone()));
        let reversed: Vec<Profile> = runs.iter().rev().cloned().collect();
        prop_assert_eq!(&counts(&sum(reversed)), &whole);
        if split < runs.len() {
            let (front, back) = runs.split_at(split);
            let parts = vec![sum(front.to_vec()), sum(back.to_vec())];
            prop_assert_eq!(&counts(&sum(parts)), &whole);
        }
    }

    /// Rows are in the order that reports rely on, each once, and the sum can be
    /// saved and read.
    #[test]
    fn sums_are_profiles(runs in runs(4)) {
        prop_assume!(runs.len() > 1);
        let sum = sum(runs);
        let ledger = &sum.ledger;
        prop_assert!(ledger.by_cause.is_sorted_by_key(|row| std::cmp::Reverse(row.count)));
        prop_assert!(ledger.by_code.is_sorted_by_key(|row| std::cmp::Reverse(row.count)));
        prop_assert!(sum.memory.by_mapping.is_sorted_by_key(|row| std::cmp::Reverse(row.faults)));
        let causes: std::collections::BTreeSet<_> =
            ledger.by_cause.iter().map(|row| (&row.cause, &row.detail)).collect();
        prop_assert_eq!(causes.len(), ledger.by_cause.len());
        prop_assert!(sum.io.is_none() && sum.timeline.is_none());
        let read: Result<Profile, _> = serde_json::from_value(json(&sum));
        prop_assert!(read.is_ok());
    }
}

/// The same threads in runs with other numbers are one: by name within their
/// process, those of the same name in the order in which they began. What only a
/// later run had keeps its number unless somebody has it.
#[test]
fn threads_are_matched_by_name() {
    let run = |threads: &[(u32, u32, &str, u64)]| {
        let mut run = build::profile(&Measurement::default());
        for &(tgid, tid, comm, total) in threads {
            run.ledger.by_thread.push(ThreadRow {
                tid,
                tgid,
                comm: comm.to_owned(),
                total,
                ..ThreadRow::default()
            });
            run.ledger.by_code.push(CodeRow {
                tgid,
                symbol: Some(comm.to_owned()),
                count: total,
                ..CodeRow::default()
            });
        }
        run
    };
    let first = run(&[(10, 10, "main", 1), (10, 11, "w", 2), (10, 12, "w", 4)]);
    let second = run(&[
        (20, 20, "main", 10),
        (20, 21, "w", 20),
        (20, 10, "w", 40),
        (20, 11, "late", 80),
        (12, 12, "child", 160),
    ]);
    let sum = merge(first, vec![second]).expect("alike");
    let threads = sum.ledger.by_thread.iter();
    let found: Vec<_> = threads
        .map(|row| (row.tgid, row.tid, row.comm.as_str(), row.total))
        .collect();
    assert_eq!(
        found,
        [
            (10, 10, "main", 11),
            (10, 11, "w", 22),
            (10, 12, "w", 44),
            (10, 14, "late", 80),
            (13, 13, "child", 160),
        ]
    );
    let code = sum.ledger.by_code.iter();
    let found: Vec<_> = code
        .map(|row| {
            (
                row.tgid,
                row.symbol.as_deref().unwrap_or_default(),
                row.count,
            )
        })
        .collect();
    // The rows of one function of one process are one.
    assert_eq!(
        found,
        [
            (13, "child", 160),
            (10, "late", 80),
            (10, "w", 66),
            (10, "main", 11)
        ]
    );
}

/// What several rows of one run are together is as large as all of them, and what
/// several runs had each is no larger than in the largest; pages are touched anew.
#[test]
fn sizes_are_those_of_a_run() {
    let run = |sizes: &[u64]| {
        let mut run = build::profile(&Measurement::default());
        let rows = sizes.iter().map(|&bytes| MappingRow {
            kind: "heap".to_owned(),
            bytes,
            faults: 6,
            distinct_pages: 2,
            faults_per_page: Some(3.0),
            ..MappingRow::default()
        });
        run.memory.by_mapping = rows.collect();
        run
    };
    let sum = sum(vec![run(&[4096, 4096]), run(&[12288]), run(&[4096])]);
    let [row] = &sum.memory.by_mapping[..] else {
        panic!("{:?}", sum.memory.by_mapping);
    };
    assert_eq!((row.bytes, row.faults, row.distinct_pages), (12288, 24, 8));
    assert_eq!(row.faults_per_page, Some(3.0));
}
