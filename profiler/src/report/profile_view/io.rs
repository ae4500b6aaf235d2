//! What the program said of its own I/O, and whether polling was polling.

use workload::summary::{IoSummary, LatencyNs};

use crate::{
    profile::{
        ledger::as_float,
        model::{Polling, Profile},
    },
    report::{
        units::{count, duration_ns, rate},
        view::{
            Block, Cell, Fact, Kind, List, Scope, Section, Table,
            chart::{Chart, Curves, PERCENTILES, Words},
            column,
        },
    },
};

/// What was read and what answered, in a sentence for the first lines of a result;
/// nothing if the program does not say what answered.
#[must_use]
pub(crate) fn target(summary: &IoSummary) -> Option<String> {
    let served_by = summary.served_by.as_ref()?;
    Some(format!("reads {}: {served_by}", summary.target))
}

/// The percentiles by name, in order.
#[must_use]
pub(crate) fn percentiles(latency: &LatencyNs) -> [(&'static str, Option<u64>); PERCENTILES] {
    let &LatencyNs {
        p50,
        p90,
        p99,
        p999,
        p9999,
        p99999,
        max,
    } = latency;
    [
        ("p50", p50),
        ("p90", p90),
        ("p99", p99),
        ("p99.9", p999),
        ("p99.99", p9999),
        ("p99.999", p99999),
        ("max", max),
    ]
}

/// The program's own numbers.
pub(super) fn section(profile: &Profile) -> Option<Section> {
    let io = profile.io.as_ref()?;
    let found = percentiles(&io.latency_ns);
    let latencies: Vec<String> = found
        .iter()
        .filter_map(|(name, ns)| Some(format!("{name} {}", duration_ns((*ns)?))))
        .collect();
    let cpus = &io.cpus;
    let sq = cpus
        .sq
        .map_or_else(String::new, |sq| format!(", submission thread on CPU {sq}"));
    let work = format!(
        "{} IOPS: {} I/Os of {} bytes in {}, {} errors",
        rate(io.iops),
        count(io.ios),
        io.block_size_bytes,
        duration_ns(io.duration_ns),
        count(io.errors)
    );
    let ring = format!("{} ({})", io.mode, io.flags.join(" "));
    let depth = format!("{}, in batches of {}", io.depth, io.batch);
    let user = format!("user thread on CPU {}{sq}", cpus.user);
    let wakeups = format!("{} of the submission thread", count(io.polling.wakeups));
    let mut facts = vec![
        Fact::new("target", &io.target),
        Fact::new("work", work),
        Fact::new("latency", latencies.join(", ")),
        Fact::new("ring", ring),
        Fact::full("depth", depth),
        Fact::full("CPUs", user),
        Fact::new("wake-ups", wakeups),
    ];
    facts.extend(io.notes.iter().map(|note| Fact::new("note", note)));
    let mut blocks = vec![Block::Facts(facts)];
    if found.iter().any(|(_, ns)| ns.is_some()) {
        let words = Words::new(
            "latency-chart",
            "Latency by percentile",
            "A curve of the latency at each percentile, both axes logarithmic. The table below has the same numbers.",
        );
        let curves = Curves {
            name: "this run".to_owned(),
            median: found.map(|(_, ns)| ns.map(as_float)),
            runs: Vec::new(),
        };
        blocks.push(Block::Chart(Chart::Curves(words, vec![curves])));
        let rows = found.map(|(name, ns)| {
            let ns = ns.map_or_else(|| "too few I/Os to tell".to_owned(), duration_ns);
            vec![Cell::from(name), ns.into()]
        });
        blocks.push(Block::Table(Table {
            caption: "Latency by percentile".to_owned(),
            list: List {
                what: "percentiles",
                field: "io.latency_ns",
                usual: usize::MAX,
            },
            columns: vec![
                column("percentile", Kind::Text),
                column("latency", Kind::Number),
            ],
            heads: 1,
            rows: rows.to_vec(),
            scope: Scope::Full,
        }));
    }
    Some(Section::new("io", "I/O", blocks))
}

/// The evidence of polling.
pub(super) fn polling(profile: &Profile) -> Option<Section> {
    let found = profile.polling.as_ref()?;
    let by_thread = found.sqes_by_sq_thread.map_or_else(
        || "unknown number by the kernel's thread (before Linux 5.12 it is nobody's)".to_owned(),
        |n| format!("{} by the kernel's thread", count(n)),
    );
    let submissions = format!(
        "{by_thread}, {} in system calls ({})",
        count(found.sqes_by_enter),
        found.phase.as_deref().unwrap_or("whole run")
    );
    let queues = found.poll_queues.iter();
    let queues = queues.map(|(name, has)| format!("{name} {}", if *has { "yes" } else { "no" }));
    let queues: Vec<String> = queues.collect();
    let mut facts = vec![
        Fact::new("submissions", submissions),
        Fact::new("io_uring_enter", count(found.enter_calls)),
        Fact::new("device interrupts", irqs(found)),
        Fact::full("poll queues", queues.join(", ")),
    ];
    facts.extend(found.findings.iter().map(|text| Fact::new("finding", text)));
    Some(Section::new(
        "polling",
        "Polling",
        vec![Block::Facts(facts)],
    ))
}

/// Interrupts of devices, in all and per I/O.
fn irqs(found: &Polling) -> String {
    let total = found.sqes_by_sq_thread.unwrap_or(0) + found.sqes_by_enter;
    let per = |n: u64| match total {
        0 => "-".to_owned(),
        total => rate(as_float(n) / as_float(total)),
    };
    let irqs: Vec<String> = found
        .device_irqs
        .iter()
        .map(|(name, &n)| format!("{name} {} ({} per I/O)", count(n), per(n)))
        .collect();
    if irqs.is_empty() {
        "none".to_owned()
    } else {
        irqs.join(", ")
    }
}
