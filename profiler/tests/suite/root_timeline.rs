//! Entries over time, of programs of known counts.

use serde_json::Value;

use crate::{
    needs_root,
    support::{
        builds::folder,
        command::{measuring, run as run_binary, stderr},
        known::assert_known,
        profile::{Json, counts, from_file},
        targets,
    },
};

fn numbers(value: &Value) -> Vec<u64> {
    let list = value.as_array().expect("a list").iter();
    list.map(|number| number.as_u64().expect("a number"))
        .collect()
}

/// Asserts that slots follow one another through the whole window, and that each
/// row adds up to the ledger's. Returns the rows' counts in the ledger's order.
#[track_caller]
fn assert_complete(profile: &Json) -> Vec<Vec<u64>> {
    let timeline = &profile.0["timeline"];
    let starts = numbers(&timeline["starts_ns"]);
    let ends = numbers(&timeline["ends_ns"]);
    assert_eq!(starts[0], 0);
    assert_eq!(starts[1..], ends[..ends.len() - 1]);
    assert!(starts.iter().zip(&ends).all(|(start, end)| start < end));
    assert_eq!(
        ends.last().copied(),
        profile.0["window"]["duration_ns"].as_u64()
    );
    let ledger = profile.0["ledger"]["by_cause"].as_array().expect("a list");
    let rows = timeline["rows"].as_array().expect("a list");
    assert_eq!(rows.len(), ledger.len());
    let each = ledger.iter().zip(rows).map(|(own, row)| {
        assert_eq!(own["cause"], row["cause"]);
        assert_eq!(own["detail"], row["detail"]);
        let counts = numbers(&row["counts"]);
        assert_eq!(counts.len(), starts.len());
        assert_eq!(own["count"].as_u64(), Some(counts.iter().sum()), "{own}");
        counts
    });
    each.collect()
}

/// System calls that are made while the counters are being read, again and again,
/// are neither lost nor counted twice; and they lie in more than one slot, since
/// the program took longer than a slot.
#[test]
fn root_timeline_of_system_calls() {
    needs_root!("root_timeline_of_system_calls");
    let profile = counts(&["--timeline=10ms"], &["getppid", "1000000"]);
    profile.assert_only("timeline: getppid", "syscall", "getppid", 1_000_000);
    let rows = assert_complete(&profile);
    let most = &rows[0];
    let steady = profile.0["window"]["duration_ns"].as_u64().expect("a time");
    let reading = profile.0["timeline"]["reading_ns"]
        .as_u64()
        .expect("a time");
    // A reading may take longer than a slot on a busy machine: then there are few.
    if steady > 10 * reading.max(10_000_000) {
        let busy = most.iter().filter(|&&count| count != 0).count();
        assert!(busy > 1, "{most:?}");
    }
}

/// Rows of many threads, which keep taking cache lines from one another, and of
/// page faults, which are counted twice where they are major, add up as well.
#[test]
fn root_timeline_of_threads_and_faults() {
    needs_root!("root_timeline_of_threads_and_faults");
    let profile = counts(&["--timeline=10ms"], &["threads", "8", "25000"]);
    let calls = profile.count("syscall", "getppid");
    assert_known(&profile, "timeline: threads", 200_000, calls);
    assert_complete(&profile);
    let profile = counts(&["--timeline=10ms"], &["touch", "20000"]);
    profile.assert_only(
        "timeline: first touches",
        "page_fault",
        "first_touch",
        20_000,
    );
    assert_complete(&profile);
}

/// Stays in phases follow one another, and are as long as the phases' times say.
#[test]
fn root_phases_over_time() {
    needs_root!("root_phases_over_time");
    let profile = counts(&[], &["getppid", "1000000"]);
    assert_eq!(profile.0["timeline"], Value::Null, "nobody asked for it");
    let window = &profile.0["window"];
    let mut before = 0;
    for span in window["phase_spans"].as_array().expect("a list") {
        assert_eq!(span["start_ns"].as_u64(), Some(before), "{span}");
        before += span["duration_ns"].as_u64().expect("a time");
    }
    assert_eq!(window["duration_ns"].as_u64(), Some(before));
    for phase in window["phases"].as_array().expect("a list") {
        let spans = window["phase_spans"].as_array().expect("a list").iter();
        let own = spans.filter(|span| span["name"] == phase["name"]);
        let lengths: u64 = own
            .map(|span| span["duration_ns"].as_u64().expect("a time"))
            .sum();
        let stated = phase["duration_ns"].as_u64().expect("a time");
        // The two look at the clock one after the other.
        assert!(
            lengths.abs_diff(stated) < stated / 10 + 5_000_000,
            "{phase}"
        );
    }
}

/// Phases that are over before anybody has looked, marked by plain stores, are
/// phases all the same: their entries are shown and can be limited, and their
/// length is said to be unknown.
#[test]
fn root_short_phases() {
    needs_root!("root_short_phases");
    let saved = folder("root_short_phases").join("run.json");
    let path = saved.to_str().expect("ours is UTF-8");
    let mut run = measuring("run");
    run.args(["--format", "json", "-o", path, "--"]);
    let output = run.arg(targets::counts()).args(["stores", "1000"]).output();
    let output = output.expect("the binary starts");
    assert!(output.status.success(), "{}", stderr(&output));
    let profile = from_file(&saved);
    let expected = [
        ("setup", 10),
        ("steady", 1000),
        ("flush", 5),
        ("teardown", 20),
    ];
    let phases = profile.0["window"]["phases"].as_array().expect("a list");
    for (name, count) in expected {
        let known = profile.count_in("syscall", "getppid", name);
        assert_known(&profile, &format!("stores: {name}"), count, known);
        let phase = phases.iter().find(|phase| phase["name"] == name);
        let phase = phase.unwrap_or_else(|| panic!("no {name} in {phases:?}"));
        // An emulated processor may be slow enough for the phase to be seen.
        let is_known = !phase["duration_ns"].is_null();
        assert_ne!(is_known, phase["untimed"] == "not_seen", "{phase}");
        assert_eq!(phase["exact"], false, "{phase}");
    }
    let rates = &profile.0["ledger"]["rates"];
    // Interrupts may hit it besides.
    let rows = profile.0["ledger"]["by_cause"].as_array().expect("a list");
    let steady = rows
        .iter()
        .filter_map(|row| row["phases"]["steady"].as_u64());
    assert_eq!(rates["steady_total"].as_u64(), Some(steady.sum()));
    let shown = run_binary(["report", path]);
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    let heading = text.lines().find(|line| line.starts_with(" cause "));
    let heading = heading.expect("a table");
    assert!(
        expected.iter().all(|(name, _)| heading.contains(name)),
        "{text}"
    );
    if phases.iter().any(|phase| phase["untimed"] == "not_seen") {
        assert!(profile.says_unavailable("how long the phase"), "{phases:?}");
    }
    let budget = saved.with_file_name("budget.toml");
    for (per, status) in [("", 0), ("per = 'second'\n", 4)] {
        let limit =
            format!("[[limit]]\ncause = 'syscall'\nphase = 'steady'\n{per}hard = 1000000000\n");
        std::fs::write(&budget, limit).expect("ours");
        let budget = budget.to_str().expect("ours is UTF-8");
        let judged = run_binary(["check", "--budget", budget, path]);
        assert_eq!(judged.status.code(), Some(status), "{}", stderr(&judged));
    }
}
