//! Page faults by kind, mapping and page, to the unit.

use std::{path::PathBuf, process::Command};

use serde_json::Value;

use crate::{
    needs_root,
    support::{profile::Json, profile::faults, skip::skip},
};

/// What the target exits with where this machine cannot do what it is asked for.
const CANNOT: i64 = 77;

/// Measures a mode of the target, or says why it cannot be done here.
#[track_caller]
fn measured(test: &str, options: &[&str], arguments: &[&str]) -> Option<Json> {
    let profile = faults(options, arguments);
    if profile.0["exit"]["code"] == CANNOT {
        skip(test, "this machine cannot do it");
        return None;
    }
    profile.assert_accounted();
    assert_eq!(profile.0["exit"]["signal"], Value::Null);
    assert_sums_agree(&profile);
    Some(profile)
}

/// Each fault is in one row by cause, and in one row by mapping; and the kernel's
/// own counters were asked.
#[track_caller]
fn assert_sums_agree(profile: &Json) {
    let sum: u64 = mappings(profile)
        .iter()
        .map(|row| number(row, "faults"))
        .sum();
    assert_eq!(sum, profile.of_cause("page_fault"));
    let checks = profile.0["accounting"]["cross_checks"].as_array();
    let mut checks = checks.expect("a list").iter();
    assert!(
        checks.any(|check| check["source"] == "perf page-faults:u"),
        "the kernel's counters were set up"
    );
}

fn mappings(profile: &Json) -> Vec<Value> {
    let rows = profile.0["memory"]["by_mapping"].as_array();
    rows.expect("a list").clone()
}

fn number(row: &Value, name: &str) -> u64 {
    row[name].as_u64().unwrap_or(0)
}

/// The mapping that had most faults in steady state.
#[track_caller]
fn busiest(profile: &Json) -> Value {
    let in_steady = |row: &Value| row["phases"]["steady"].as_u64().unwrap_or(0);
    let rows = mappings(profile);
    let row = rows.into_iter().max_by_key(in_steady);
    row.expect("some mapping had faults")
}

/// Asserts what the busiest mapping is, and that it had these faults and no others.
#[track_caller]
fn assert_mapping(profile: &Json, kind: &str, faults: &[(&str, u64)], pages: u64) {
    let row = busiest(profile);
    assert_eq!(row["kind"], kind, "{row}");
    for (name, count) in faults {
        assert_eq!(
            row["by_kind"][name].as_u64(),
            Some(*count),
            "{name} in {row}"
        );
    }
    let total: u64 = faults.iter().map(|(_, count)| count).sum();
    assert_eq!(number(&row, "faults"), total, "{row}");
    assert_eq!(number(&row, "distinct_pages"), pages, "{row}");
}

/// Each page touched for the first time is a first touch, one for each page.
#[test]
fn root_fault_first_touch() {
    needs_root!("root_fault_first_touch");
    let Some(profile) = measured("root_fault_first_touch", &[], &["touch", "3000"]) else {
        return;
    };
    assert_mapping(&profile, "anonymous", &[("first_touch", 3000)], 3000);
    let row = busiest(&profile);
    assert_eq!(row["faults_per_page"], 1.0);
    assert_eq!(number(&row, "bytes"), 3000 * 4096);
    assert_eq!(
        profile.count_in("page_fault", "first_touch", "steady"),
        3000
    );
    // A page of the program's own file may have had to come back meanwhile.
    let of_files = profile.count_in("page_fault", "file_minor", "steady")
        + profile.count_in("page_fault", "file_major", "steady");
    assert_eq!(profile.of_cause_in("page_fault", "steady") - of_files, 3000);
}

/// Shared memory of no file has a name of its own.
#[test]
fn root_fault_shared_memory() {
    needs_root!("root_fault_shared_memory");
    let Some(profile) = measured("root_fault_shared_memory", &[], &["shared", "500"]) else {
        return;
    };
    assert_mapping(&profile, "shared_anonymous", &[("first_touch", 500)], 500);
}

/// A page that is read and then written to has two faults, of two kinds.
#[test]
fn root_fault_zero_page() {
    needs_root!("root_fault_zero_page");
    let Some(profile) = measured("root_fault_zero_page", &[], &["zero", "500"]) else {
        return;
    };
    let kinds = [("first_touch", 500), ("copy_on_write", 500)];
    assert_mapping(&profile, "anonymous", &kinds, 500);
    assert_eq!(busiest(&profile)["faults_per_page"], 2.0);
}

/// Writing to a page that a child shares is a copy-on-write, each time anew.
#[test]
fn root_fault_copy_on_write() {
    needs_root!("root_fault_copy_on_write");
    let Some(profile) = measured("root_fault_copy_on_write", &[], &["cow", "50"]) else {
        return;
    };
    let rows = mappings(&profile);
    let mut own = rows
        .iter()
        .filter(|row| row["kind"] == "anonymous" && number(row, "bytes") == 4096)
        .filter(|row| number(&row["by_kind"], "copy_on_write") == 50);
    let row = own.next().expect("the page's mapping is listed");
    assert_eq!(number(row, "faults"), 51, "{row}");
    assert_eq!(number(row, "distinct_pages"), 1, "{row}");
}

/// A large file on a disk that nobody uses: the C library for static linking.
fn large_file() -> PathBuf {
    let output = Command::new("cc").arg("-print-file-name=libc.a").output();
    let output = output.expect("the suite needs a C compiler");
    PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())
}

/// A file's pages that are in memory are minor faults, as many as the kernel has
/// counted, under the file's name.
#[test]
fn root_fault_warm_file() {
    needs_root!("root_fault_warm_file");
    let file = large_file();
    let arguments = ["warm", "60", &file.to_string_lossy()];
    let Some(profile) = measured("root_fault_warm_file", &[], &arguments) else {
        return;
    };
    let truth = profile.0["exit"]["code"].as_u64().expect("a count");
    assert!((1..=60).contains(&truth), "{truth} faults on 60 pieces");
    assert_mapping(&profile, "file", &[("file_minor", truth)], truth);
    assert_eq!(busiest(&profile)["path"], "libc.a");
}

/// Without room for it, what is known of a major fault is lost, and no fault is added.
#[test]
fn root_major_faults_without_room() {
    needs_root!("root_major_faults_without_room");
    let file = large_file();
    let arguments = ["cold", "60", &file.to_string_lossy()];
    let profile = faults(&["--ledger-rows", "1"], &arguments);
    let checks = profile.0["accounting"]["cross_checks"]
        .as_array()
        .expect("a list");
    let mut checks = checks.iter();
    if let Some(all) = checks.find(|check| check["source"] == "perf page-faults:u") {
        assert_eq!(all["ours"], all["theirs"], "{all}");
    }
}

/// A file's pages that have to be read are major faults.
#[test]
fn root_fault_cold_file() {
    needs_root!("root_fault_cold_file");
    let file = large_file();
    let arguments = ["cold", "60", &file.to_string_lossy()];
    let Some(profile) = measured("root_fault_cold_file", &[], &arguments) else {
        return;
    };
    assert_mapping(&profile, "file", &[("file_major", 60)], 60);
    assert_eq!(profile.count_in("page_fault", "file_major", "steady"), 60);
}

/// Accesses that the mapping does not allow are violations, whatever a handler
/// makes of them.
#[test]
fn root_fault_violations() {
    needs_root!("root_fault_violations");
    let Some(profile) = measured("root_fault_violations", &[], &["violate", "100"]) else {
        return;
    };
    assert_mapping(&profile, "anonymous", &[("protection", 100)], 1);
    assert_eq!(profile.count("page_fault", "protection"), 100);
}

/// The heap and the stack are told from other memory, also while they grow.
#[test]
fn root_fault_heap_and_stack() {
    needs_root!("root_fault_heap_and_stack");
    for (mode, n) in [("heap", 300), ("stack", 200)] {
        let arguments = [mode, &n.to_string()];
        let Some(profile) = measured("root_fault_heap_and_stack", &[], &arguments) else {
            return;
        };
        let row = busiest(&profile);
        assert_eq!(row["kind"], mode, "{row}");
        let steady = row["phases"]["steady"].as_u64().expect("a count");
        // The stack's first pages were there before.
        assert!((n - 3..=n + 1).contains(&steady), "{row}");
        assert_eq!(profile.count("page_fault", "unknown"), 0);
    }
}

/// Where there is no room for all pages, they are a lower bound, and that is
/// said; the faults of each mapping remain exact.
#[test]
fn root_fault_too_many_pages() {
    needs_root!("root_fault_too_many_pages");
    let profile = faults(&["--fault-pages", "512"], &["touch", "3000"]);
    assert_sums_agree(&profile);
    let row = busiest(&profile);
    assert_eq!(number(&row, "faults"), 3000, "{row}");
    assert!(number(&row, "distinct_pages") <= 512, "{row}");
    assert_eq!(row["pages_are_lower_bound"], true, "{row}");
    assert!(profile.says_unavailable("the pages of all page faults"));
    assert!(number(&profile.0["accounting"]["losses"], "page_table_full") >= 2488);
}

/// Less can be asked for: the count stays what it is.
#[test]
fn root_fault_levels() {
    needs_root!("root_fault_levels");
    for (level, kind) in [("count", "unknown"), ("kind", "first_touch")] {
        let profile = faults(&["--faults", level], &["touch", "500"]);
        profile.assert_accounted();
        assert_eq!(profile.count_in("page_fault", kind, "steady"), 500);
        assert!(mappings(&profile).is_empty());
        assert!(profile.says_unavailable("the mapping") || profile.says_unavailable("the kind"));
    }
}
