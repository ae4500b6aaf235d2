//! Profiles that nobody measured, for tests of what must hold of all of them.
//!
//! Names come from a few words, so that two profiles have some in common; counts
//! are small ones, none, and the largest.

use std::collections::BTreeMap;

use proptest::{
    collection::{btree_map, vec},
    option,
    prelude::*,
    sample::select,
};

use super::{
    build, exactness,
    model::{CauseRow, CodeRow, MappingRow, PhaseTime, Profile, ThreadRow, Unavailable, Untimed},
};
use crate::{gap::Gap, probe::catalog, symbolize::measurement::Measurement};

/// Any profile.
pub(crate) fn profile() -> impl Strategy<Value = Profile> {
    let ledger = (
        vec(cause_row(), 0..6),
        vec(code_row(), 0..8),
        vec(thread_row(), 0..4),
        vec(mapping_row(), 0..4),
    );
    (ledger, circumstances()).prop_map(|((by_cause, by_code, by_thread, by_mapping), around)| {
        let mut profile = build::profile(&Measurement::default());
        let sum = |sum: u64, row: &CauseRow| sum.saturating_add(row.count);
        profile.ledger.total = by_cause.iter().fold(0, sum);
        profile.ledger.by_cause = by_cause;
        profile.ledger.by_code = by_code;
        profile.ledger.by_thread = by_thread;
        profile.memory.by_mapping = by_mapping;
        around.apply(&mut profile);
        exactness::settle(&mut profile);
        profile
    })
}

/// Everything besides the counts that a comparison looks at.
#[derive(Clone, Debug)]
struct Circumstances {
    duration_ns: u64,
    steady_ns: Option<u64>,
    /// Whether the length of the steady state is known.
    is_timed: bool,
    ios: Option<u64>,
    kernel: String,
    command: Vec<String>,
    exit: Option<i32>,
    inexact: Vec<String>,
    unavailable: Vec<Gap>,
}

impl Circumstances {
    fn apply(self, profile: &mut Profile) {
        profile.window.duration_ns = self.duration_ns;
        profile.window.phases = self
            .steady_ns
            .map(|duration_ns| PhaseTime {
                number: 2,
                name: "steady".to_owned(),
                duration_ns: self.is_timed.then_some(duration_ns),
                exact: self.is_timed,
                untimed: (!self.is_timed).then_some(Untimed::NotSeen),
            })
            .into_iter()
            .collect();
        profile.io = self.ios.map(|ios| workload::summary::IoSummary {
            ios,
            ..Default::default()
        });
        // Rows may add up to more than there is room for: no builder made them.
        profile.ledger.rates.steady_total = self.steady_ns.map(|_| 1);
        profile.host.kernel = self.kernel;
        profile.target.command = self.command;
        profile.exit.code = self.exit;
        profile.accounting.inexact = self.inexact;
        profile.accounting.unavailable = self
            .unavailable
            .into_iter()
            .map(|gap| Unavailable::new(gap, "it is so"))
            .collect();
    }
}

fn circumstances() -> impl Strategy<Value = Circumstances> {
    let times = (
        length(),
        option::of(length()),
        prop::bool::weighted(0.8),
        option::of(prop_oneof![Just(0), 1..10_u64, Just(1_000_000)]),
    );
    let rest = (
        word(&["6.1", "7.3", ""]),
        vec(word(&["./a", "./b"]), 0..2),
        option::of(-1..3_i32),
        vec(word(&["some were missed"]), 0..2),
        vec(gap(), 0..2),
    );
    (times, rest).prop_map(|(times, rest)| Circumstances {
        duration_ns: times.0,
        steady_ns: times.1,
        is_timed: times.2,
        ios: times.3,
        kernel: rest.0,
        command: rest.1,
        exit: rest.2,
        inexact: rest.3,
        unavailable: rest.4,
    })
}

/// Any gap, of any program or phase.
pub(crate) fn gap() -> impl Strategy<Value = Gap> {
    let programs = catalog::all().into_iter().map(|probe| probe.program);
    let subjects: Vec<&str> = programs.chain(["steady", "novel"]).collect();
    let gaps = select(subjects).prop_flat_map(|of| select(Gap::each(of)));
    prop_oneof![
        20 => gaps,
        1 => Just(Gap::Other { code: "novel".to_owned(), of: None, what: "a novelty".to_owned() }),
    ]
}

/// Lengths of time: none, much the same, and absurd.
fn length() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 900_000_000..1_100_000_000_u64,
        1 => Just(10_000_000_000),
        1 => Just(0),
        1 => Just(u64::MAX),
    ]
}

/// Counts.
fn count() -> impl Strategy<Value = u64> {
    prop_oneof![6 => 0..5_000_u64, 2 => Just(0), 1 => Just(u64::MAX)]
}

fn word(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    select(words).prop_map(str::to_owned)
}

fn cause_row() -> impl Strategy<Value = CauseRow> {
    let phases = btree_map(word(&["steady", "setup"]), count(), 0..2);
    (names(), count(), phases).prop_map(|((cause, detail), count, phases)| CauseRow {
        cause: cause.as_str().into(),
        detail,
        count,
        phases,
        ..CauseRow::default()
    })
}

fn names() -> impl Strategy<Value = (String, String)> {
    (
        word(&["syscall", "page_fault", "interrupt", "exception", "other"]),
        word(&["read", "first_touch", "unknown", "device:nvme0q1", "(all)"]),
    )
}

fn code_row() -> impl Strategy<Value = CodeRow> {
    let place = (
        option::of(word(&["f", "g<T>", ""])),
        option::of(word(&["/a/x.c", "/b/x.c", "y.c"])),
        option::of(1..6_u32),
        option::of(word(&["/lib/libx.so", "/bin/p"])),
        option::of(word(&["0x10", "0x20"])),
    );
    (names(), count(), place).prop_map(|((cause, detail), count, place)| CodeRow {
        cause: cause.as_str().into(),
        detail,
        count,
        user_ip: "0x1000".to_owned(),
        symbol: place.0,
        file: place.1,
        line: place.2,
        module: place.3,
        module_address: place.4,
        ..CodeRow::default()
    })
}

fn thread_row() -> impl Strategy<Value = ThreadRow> {
    (word(&["main", "w-1", "w-22", "", "é7"]), 1..9_u32, count()).prop_map(|(comm, tid, total)| {
        ThreadRow {
            tid,
            tgid: 1,
            comm,
            total,
            by_cause: Vec::new(),
        }
    })
}

fn mapping_row() -> impl Strategy<Value = MappingRow> {
    (
        word(&["anonymous", "file", "heap"]),
        option::of(word(&["/lib/libx.so", "libx.so", "/"])),
        option::of(word(&[
            "f at a.c:12 (via malloc)",
            "f at a.c:99 (via malloc)",
            ":",
        ])),
        count(),
    )
        .prop_map(|(kind, path, allocated_at, faults)| MappingRow {
            kind,
            path,
            allocated_at,
            faults,
            bytes: 4096,
            by_kind: BTreeMap::new(),
            ..MappingRow::default()
        })
}
