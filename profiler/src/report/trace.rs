//! A profile as a trace in Chrome's JSON format, which Perfetto opens too:
//! phases as slices, entries over time as counters, threads with their totals.
//!
//! Times are microseconds since the window's beginning, as the format has it.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use serde_json::{Value, json};

use super::{units, verdict};
use crate::profile::{
    ledger::{as_float, seconds},
    model::{Profile, Timeline, TimelineRow},
    processes,
};

/// The process that phases and counters are shown under: above any real one,
/// since the kernel numbers them up to 4,194,304.
pub const OVERVIEW: u32 = 4_194_305;
/// The thread in it that phases are shown on.
const PHASES: u32 = OVERVIEW;

/// Writes the trace.
///
/// # Errors
/// Whatever the output reports.
pub fn write(profile: &Profile, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{{\"traceEvents\": [")?;
    let mut events = names(profile);
    events.extend(totals(profile));
    events.extend(phases(profile));
    if let Some(timeline) = &profile.timeline {
        events.extend(counters(timeline));
        events.extend(losses(timeline));
    }
    for (place, event) in events.iter().enumerate() {
        let comma = if place == 0 { "" } else { ",\n" };
        write!(out, "{comma}{event}")?;
    }
    writeln!(out, "\n],")?;
    writeln!(out, "\"displayTimeUnit\": \"ms\",")?;
    writeln!(out, "\"otherData\": {}}}", about(profile))
}

/// Everything that has no place in time.
fn about(profile: &Profile) -> Value {
    let timeline = match &profile.timeline {
        Some(timeline) => format!(
            "{} slots; an edge may be off by what was counted in {} ns",
            timeline.starts_ns.len(),
            timeline.reading_ns
        ),
        None => "not recorded: measure with --timeline to see entries over time".to_owned(),
    };
    json!({
        "tool": format!("{} {}", profile.tool.name, profile.tool.version),
        "verdict": verdict::line(profile),
        "start": profile.window.start,
        "kernel": profile.host.kernel,
        "backend": profile.backend.name,
        "not_exact": profile.accounting.inexact.join("; "),
        "timeline": timeline,
    })
}

/// Microseconds.
fn us(ns: u64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "exact to the nanosecond for 104 days"
    )]
    let ns = ns as f64;
    ns / 1e3
}

fn name_of(what: &str, process: u32, thread: u32, name: &str) -> Value {
    json!({"ph": "M", "name": what, "pid": process, "tid": thread, "args": {"name": name}})
}

/// Names of processes and threads.
fn names(profile: &Profile) -> Vec<Value> {
    let command = units::shortened(&profile.target.command.join(" "));
    let overview = format!("modeswitch: {command}");
    let mut events = vec![
        name_of("process_name", OVERVIEW, PHASES, overview.trim_end()),
        name_of("thread_name", OVERVIEW, PHASES, "phases"),
        json!({"ph": "M", "name": "process_sort_index", "pid": OVERVIEW, "tid": PHASES,
            "args": {"sort_index": -1}}),
    ];
    let names = processes::names(profile);
    for &process in names.keys() {
        let name = processes::name(&names, process);
        events.push(name_of("process_name", process, process, &name));
    }
    for thread in &profile.ledger.by_thread {
        let process = processes::of(thread);
        events.push(name_of("thread_name", process, thread.tid, &thread.comm));
    }
    events
}

/// What each thread did in all: when is not known, so it is at the beginning.
fn totals(profile: &Profile) -> Vec<Value> {
    let threads = profile.ledger.by_thread.iter();
    let events = threads.map(|thread| {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for row in &thread.by_cause {
            *counts
                .entry(format!("{} {}", row.cause, row.detail))
                .or_default() += row.count;
        }
        json!({
            "ph": "i", "s": "t", "cat": "thread",
            "name": format!("{} entries in the whole window", thread.total),
            "pid": processes::of(thread), "tid": thread.tid, "ts": 0.0, "args": counts,
        })
    });
    events.collect()
}

fn phases(profile: &Profile) -> Vec<Value> {
    let spans = profile.window.phase_spans.iter();
    let events = spans.map(|span| {
        json!({
            "ph": "X", "cat": "phase", "name": span.name, "pid": OVERVIEW, "tid": PHASES,
            "ts": us(span.start_ns), "dur": us(span.duration_ns),
            "args": {"time_is_exact": span.exact},
        })
    });
    events.collect()
}

/// A track for each cause and one for all.
fn counters(timeline: &Timeline) -> Vec<Value> {
    let slots = timeline.starts_ns.len();
    let sums = (0..slots).map(|slot| {
        let counts = timeline.rows.iter().map(|row| row.counts.get(slot));
        counts.flatten().sum()
    });
    let all = TimelineRow {
        cause: "all".into(),
        detail: "entries".to_owned(),
        counts: sums.collect(),
    };
    let rows = std::iter::once(&all).chain(&timeline.rows);
    rows.flat_map(|row| track(timeline, row)).collect()
}

/// One track: a rate, since slots differ in length. What stays the same is not
/// said again; behind the last slot nothing is counted.
fn track(timeline: &Timeline, row: &TimelineRow) -> Vec<Value> {
    let name = format!("{} {}", row.cause, row.detail);
    let event = |at_ns: u64, rate: f64| {
        json!({
            "ph": "C", "cat": "entries", "name": name, "pid": OVERVIEW, "ts": us(at_ns),
            "args": {"per second": rate},
        })
    };
    let mut said = None;
    let mut events = Vec::new();
    let slots = timeline.starts_ns.iter().zip(&timeline.ends_ns);
    for ((&start_ns, &end_ns), &count) in slots.zip(&row.counts) {
        let rate = as_float(count) / seconds(end_ns.saturating_sub(start_ns));
        if said != Some(rate) {
            events.push(event(start_ns, rate));
        }
        said = Some(rate);
    }
    events.extend(timeline.ends_ns.last().map(|&end_ns| event(end_ns, 0.0)));
    events
}

/// Slots in which something could not be kept.
fn losses(timeline: &Timeline) -> Vec<Value> {
    let slots = timeline.starts_ns.iter().zip(&timeline.losses);
    let lossy = slots.filter(|(_, lost)| **lost != 0);
    let events = lossy.map(|(&start_ns, lost)| {
        json!({
            "ph": "i", "s": "p", "cat": "loss", "name": format!("{lost} could not be kept"),
            "pid": OVERVIEW, "tid": PHASES, "ts": us(start_ns), "args": {"lost": lost},
        })
    });
    events.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::{nasty, random_names};

    fn document(profile: &Profile) -> Value {
        let mut text = Vec::new();
        write(profile, &mut text).expect("written to memory");
        serde_json::from_slice(&text).expect("one JSON document")
    }

    /// Whatever the names, it is one document, and names come back unchanged.
    #[test]
    fn names_come_back() {
        for name in random_names(100) {
            let document = document(&nasty(&name, false));
            let mut events = document["traceEvents"].as_array().expect("a list").iter();
            let found = events.find(|event| event["name"] == "thread_name" && event["tid"] == 7);
            assert_eq!(found.expect("the thread")["args"]["name"], name);
        }
    }

    /// A slot that lost something is marked, and what stays the same is said once.
    #[test]
    fn losses_are_marked() {
        let mut profile = nasty("x", false);
        profile.timeline = Some(Timeline {
            interval_ns: 10,
            starts_ns: vec![0, 10, 20],
            ends_ns: vec![10, 20, 30],
            rows: vec![TimelineRow {
                cause: "interrupt".into(),
                detail: "x".to_owned(),
                counts: vec![4, 4, 0],
            }],
            losses: vec![0, 3, 0],
            reading_ns: 1,
        });
        let document = document(&profile);
        let events = document["traceEvents"].as_array().expect("a list");
        let of = |name: &str| -> Vec<(f64, &Value)> {
            let found = events.iter().filter(|event| event["name"] == name);
            let parts = found.map(|event| (event["ts"].as_f64().expect("a time"), &event["args"]));
            parts.collect()
        };
        assert_eq!(of("3 could not be kept"), [(0.01, &json!({"lost": 3}))]);
        let rate = |rate: f64| json!({"per second": rate});
        let (many, none) = (rate(4e8), rate(0.0));
        assert_eq!(
            of("interrupt x"),
            [(0.0, &many), (0.02, &none), (0.03, &none)]
        );
    }
}
