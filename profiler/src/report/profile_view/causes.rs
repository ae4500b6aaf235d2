//! Entries by cause and phase, over time, and by thread.

use std::{cmp::Reverse, collections::BTreeSet};

use crate::{
    profile::{
        ledger::{as_float, seconds},
        merge::programs::{self, By},
        model::{CauseRow, Profile},
        processes,
    },
    report::{
        units::{count, duration_ns, rate, share},
        verdict::entry,
        view::{
            Block, Cell, Kind, List, Scope, Section, Table, Tone,
            chart::{Bar, BarRow, Bars, Chart, Timeline, Words},
            column, full_column,
        },
    },
};

/// Bars of the chart.
const BARS: usize = 14;

/// Entries by cause.
pub(super) fn by_cause(profile: &Profile) -> Section {
    let blocks = if profile.ledger.by_cause.is_empty() {
        vec![Block::prose(Tone::Plain, "No entry was seen.")]
    } else {
        vec![Block::Chart(chart(profile)), Block::Table(causes(profile))]
    };
    Section::new("causes", "By cause", blocks)
}

/// Names of the phases, in their order in time.
fn phases(profile: &Profile) -> Vec<&str> {
    let phases = profile.window.phases.iter();
    phases.map(|phase| phase.name.as_str()).collect()
}

fn chart(profile: &Profile) -> Chart {
    let phases = phases(profile);
    let rows = profile.ledger.by_cause.iter().take(BARS).map(|row| {
        let share = share(row.count, profile.ledger.total);
        BarRow {
            label: entry(&row.cause, &row.detail),
            bars: vec![Bar {
                parts: parts(row, &phases),
                text: format!("{} ({share})", count(row.count)),
            }],
        }
    });
    let words = Words::new(
        "causes-chart",
        "Entries by cause and phase",
        "A bar for each of the most frequent causes, divided by phase. The table below has the same numbers.",
    );
    let bars = Bars {
        rows: rows.collect(),
        series: phases.into_iter().map(str::to_owned).collect(),
    };
    Chart::Bars(words, bars)
}

/// A row's entries by phase; what is in no phase that is known stands last.
fn parts(row: &CauseRow, phases: &[&str]) -> Vec<(usize, f64)> {
    let of = |phase: &&str| row.phases.get(*phase).copied().unwrap_or(0);
    let mut parts: Vec<(usize, u64)> = phases.iter().map(of).enumerate().collect();
    let known: u64 = parts.iter().map(|&(_, n)| n).sum();
    parts.push((phases.len(), row.count.saturating_sub(known)));
    parts
        .into_iter()
        .map(|(n, amount)| (n, as_float(amount)))
        .collect()
}

fn causes(profile: &Profile) -> Table {
    let ledger = &profile.ledger;
    let phases = phases(profile);
    let is_timed = ledger.by_cause.iter().any(|row| row.time_ns.is_some());
    let mut columns = vec![
        column("cause", Kind::Text),
        column("detail", Kind::Name),
        column("count", Kind::Number),
        column("share", Kind::Number),
        column("per s", Kind::Number),
    ];
    columns.extend(phases.iter().map(|phase| column(*phase, Kind::Number)));
    if is_timed {
        let times = ["time in kernel", "p50", "p99", "max"];
        columns.extend(times.map(|name| full_column(name, Kind::Number)));
    }
    let rows = ledger.by_cause.iter().map(|row| {
        let mut cells = vec![
            row.cause.to_string(),
            row.detail.clone(),
            count(row.count),
            share(row.count, ledger.total),
            rate(row.per_second),
        ];
        let of = |phase: &&str| count(row.phases.get(*phase).copied().unwrap_or(0));
        cells.extend(phases.iter().map(of));
        if is_timed {
            let times = row
                .time_ns
                .map(|t| [t.total, t.p50, t.p99, t.max].map(duration_ns));
            cells.extend(times.unwrap_or_else(|| ["-"; 4].map(str::to_owned)));
        }
        cells.into_iter().map(Cell::from).collect()
    });
    Table {
        caption: "Entries by cause, detail and phase".to_owned(),
        list: List {
            what: "causes",
            field: "ledger.by_cause",
            usual: 24,
        },
        rows: rows.collect(),
        columns,
        heads: 2,
        scope: Scope::Always,
    }
}

/// Entries over time, if a timeline was recorded.
pub(super) fn over_time(profile: &Profile) -> Option<Section> {
    let found = profile.timeline.as_ref()?;
    found.starts_ns.first()?;
    let mut rows: Vec<(String, Vec<u64>)> = found
        .rows
        .iter()
        .map(|row| (entry(&row.cause, &row.detail), row.counts.clone()))
        .collect();
    rows.sort_by_key(|(_, counts)| Reverse(counts.iter().sum::<u64>()));
    let timeline = Timeline {
        starts_ns: found.starts_ns.clone(),
        ends_ns: found.ends_ns.clone(),
        rows,
    };
    let words = Words::new(
        "timeline",
        "Entries per second over time, by cause",
        "A column for each slot of time, as high as its entries per second and divided by cause. The table below has the busiest slot of each cause.",
    );
    let table = busiest_slots(&timeline);
    let mut blocks = vec![
        Block::Chart(Chart::Timeline(words, timeline)),
        Block::Table(table),
    ];
    let lost: u64 = found.losses.iter().sum();
    if lost != 0 {
        let text = format!("{} entries could not be put into a slot", count(lost));
        blocks.push(Block::prose(Tone::Alarm, text));
    }
    blocks.push(Block::prose(
        Tone::Faint,
        format!(
            "An interval of {} was asked for. The edge of a slot is the moment at which the counters were read, which took up to {}; heights are rates, since slots differ in length.",
            duration_ns(found.interval_ns),
            duration_ns(found.reading_ns)
        ),
    ));
    Some(Section::full("over-time", "Over time", blocks))
}

fn busiest_slots(timeline: &Timeline) -> Table {
    let rows = timeline.rows.iter().map(|(name, counts)| {
        let slots = timeline.starts_ns.iter().zip(&timeline.ends_ns).zip(counts);
        let rates = slots
            .map(|((&from, &to), &n)| (as_float(n) / seconds(to.saturating_sub(from)), from, to));
        // The first of those that are as high.
        let highest = rates.reduce(|high, next| if next.0 > high.0 { next } else { high });
        let [fastest, from, to] = highest.map_or_else(
            || ["-"; 3].map(str::to_owned),
            |(highest, from, to)| {
                let highest = format!("{}/s", rate(highest));
                [highest, duration_ns(from), duration_ns(to)]
            },
        );
        let total = count(counts.iter().sum());
        [name.clone(), total, fastest, from, to]
            .map(Cell::from)
            .to_vec()
    });
    Table {
        caption: "Entries over time: the busiest slot of each cause".to_owned(),
        list: List {
            what: "causes",
            field: "timeline.rows",
            usual: 24,
        },
        columns: vec![
            column("cause", Kind::Text),
            column("entries", Kind::Number),
            column("highest rate", Kind::Number),
            column("in the slot from", Kind::Number),
            column("to", Kind::Number),
        ],
        heads: 1,
        rows: rows.collect(),
        scope: Scope::Always,
    }
}

/// Entries by program, where there were several processes.
pub(super) fn by_program(profile: &Profile) -> Option<Section> {
    let programs = programs::totals(profile);
    let processes: u64 = programs.iter().map(|program| program.processes).sum();
    if processes < 2 {
        return None;
    }
    let rows = programs.iter().map(|program| {
        let cells = [
            program.name.clone(),
            count(program.processes),
            count(program.threads),
            count(program.entries),
            share(program.entries, profile.ledger.total),
        ];
        cells.map(Cell::from).to_vec()
    });
    let table = Table {
        caption: "Entries by program".to_owned(),
        list: List {
            what: "programs",
            field: "ledger.by_thread",
            usual: 12,
        },
        columns: vec![
            column("program", Kind::Name),
            column("processes", Kind::Number),
            column("threads", Kind::Number),
            column("count", Kind::Number),
            column("share", Kind::Number),
        ],
        heads: 1,
        rows: rows.collect(),
        scope: Scope::Always,
    };
    let blocks = vec![Block::Table(table)];
    Some(Section::new("programs", "By program", blocks))
}

/// Entries by thread. One alone is not worth a terminal's lines, nor are those of many
/// processes beside the table by program.
pub(super) fn by_thread(profile: &Profile, by: By) -> Option<Section> {
    let mut threads: Vec<_> = profile.ledger.by_thread.iter().collect();
    threads.first()?;
    threads.sort_by_key(|thread| Reverse(thread.total));
    let processes: BTreeSet<u32> = threads.iter().map(|row| processes::of(row)).collect();
    let is_minor = threads.len() < 2 || by == By::Program && processes.len() > 1;
    let rows = threads.iter().map(|thread| {
        let first = thread.by_cause.first();
        let cells = [
            thread.tid.to_string(),
            thread.tgid.to_string(),
            thread.comm.clone(),
            first.map_or_else(String::new, |row| format!("{} {}", row.cause, row.detail)),
            first.map_or_else(String::new, |row| count(row.count)),
            count(thread.total),
            share(thread.total, profile.ledger.total),
        ];
        cells.map(Cell::from).to_vec()
    });
    let table = Table {
        caption: "Entries by thread".to_owned(),
        list: List {
            what: "threads",
            field: "ledger.by_thread",
            usual: 12,
        },
        columns: vec![
            column("thread", Kind::Id),
            column("process", Kind::Id),
            column("name", Kind::Name),
            column("most frequent", Kind::Name),
            full_column("of it", Kind::Number),
            column("count", Kind::Number),
            full_column("share", Kind::Number),
        ],
        heads: 1,
        rows: rows.collect(),
        scope: Scope::Always,
    };
    let make = if is_minor {
        Section::full
    } else {
        Section::new
    };
    Some(make("threads", "By thread", vec![Block::Table(table)]))
}
