//! Programs of known counts are reported to the unit.

use crate::{
    needs_root,
    support::{
        known::{assert_known, assert_known_of, assert_next_to_none_missing, cannot_be_known},
        profile::counts,
        skip::skip_here,
    },
};

/// System calls are counted by name, in their phase, and nothing is invented.
#[test]
fn root_system_calls() {
    needs_root!("root_system_calls");
    let profile = counts(&[], &["getppid", "100000"]);
    profile.assert_only("getppid", "syscall", "getppid", 100_000);
    let steady = profile.count_in("syscall", "getppid", "steady");
    assert_eq!(profile.count("syscall", "getppid"), steady);
    assert_eq!(profile.of_cause_in("page_fault", "steady"), 0);
}

/// Each first touch of a page is one page fault.
#[test]
fn root_first_touches() {
    needs_root!("root_first_touches");
    let profile = counts(&[], &["touch", "20000"]);
    profile.assert_only("first touches", "page_fault", "first_touch", 20_000);
    assert_eq!(profile.of_cause_in("syscall", "steady"), 0);
}

/// A launched command is counted from the return of its own `execve` to the
/// call that ends it.
#[test]
fn root_first_and_last_call() {
    needs_root!("root_first_and_last_call");
    let profile = counts(&[], &["getppid", "1"]);
    for call in ["execve", "exit_group"] {
        assert_known(&profile, call, 1, profile.count("syscall", call));
    }
}

/// Children are followed from their first return on.
#[test]
fn root_forks() {
    needs_root!("root_forks");
    let profile = counts(&[], &["fork", "50"]);
    profile.assert_accounted();
    let expected = [
        ("new_task", "first_return", 50),
        ("syscall", "wait4", 50),
        ("syscall", "clone", 50),
        ("syscall", "exit_group", 51),
    ];
    for (cause, detail, expected) in expected {
        let name = format!("fork: {detail}");
        assert_known(&profile, &name, expected, profile.count(cause, detail));
    }
}

/// Children remain followed when they become another program.
#[test]
fn root_execs() {
    needs_root!("root_execs");
    let profile = counts(&[], &["exec", "20"]);
    profile.assert_accounted();
    let expected = [
        ("syscall", "execve", 21),
        ("syscall", "vfork", 20),
        ("new_task", "first_return", 20),
        ("syscall", "exit_group", 21),
    ];
    for (cause, detail, expected) in expected {
        let name = format!("vfork+exec: {detail}");
        assert_known(&profile, &name, expected, profile.count(cause, detail));
    }
}

/// Threads are kept apart, each with its own exact count.
#[test]
fn root_threads() {
    needs_root!("root_threads");
    let profile = counts(&[], &["threads", "8", "10000"]);
    profile.assert_accounted();
    let calls = profile.count("syscall", "getppid");
    assert_next_to_none_missing(&profile, "threads: getppid", 80_000, calls);
    let clones = profile.count("syscall", "clone3") + profile.count("syscall", "clone");
    assert_known(&profile, "threads: clone3", 8, clones);
    let first = profile.count("new_task", "first_return");
    assert_known(&profile, "threads: first_return", 8, first);
    let threads = profile.0["ledger"]["by_thread"].as_array().expect("a list");
    assert_eq!(threads.len(), 9);
    let of_thread = |thread: &serde_json::Value| -> u64 {
        let rows = thread["by_cause"].as_array().expect("a list").iter();
        rows.filter(|row| row["detail"] == "getppid")
            .map(|row| row["count"].as_u64().expect("a count"))
            .sum()
    };
    let mut each: Vec<u64> = threads.iter().map(of_thread).collect();
    each.sort_unstable();
    assert_eq!(each.iter().sum::<u64>(), calls);
    assert_eq!(each[0], 0, "the first thread makes none");
    assert!(each.iter().all(|&calls| calls <= 10_000), "{each:?}");
}

/// A signal handled is its sending and its return.
#[test]
fn root_signals() {
    needs_root!("root_signals");
    let profile = counts(&[], &["signals", "1000"]);
    profile.assert_accounted();
    let mut all = 0;
    for call in ["kill", "rt_sigreturn"] {
        let counted = profile.count_in("syscall", call, "steady");
        assert_known(&profile, &format!("signals: {call}"), 1000, counted);
        all += counted;
    }
    assert_eq!(profile.of_cause_in("syscall", "steady"), all);
}

/// The 32-bit gate has numbers of its own, and is told from the other.
#[test]
fn root_compat_calls() {
    needs_root!("root_compat_calls");
    let profile = counts(&[], &["int80", "1000"]);
    if profile.0["exit"]["signal"] == 11 {
        let reason = "this kernel has no 32-bit gate";
        cannot_be_known("int80", reason);
        skip_here("root_compat_calls", reason);
        return;
    }
    profile.assert_only("int80", "syscall", "ia32:getppid", 1000);
}

/// A program that only spins enters the kernel for interrupts alone; its timer
/// ticks are no more than its CPU had.
#[test]
fn root_spinning() {
    needs_root!("root_spinning");
    let cpu = last_cpu();
    let profile = counts(&["--cpu", &cpu], &["spin", "1000"]);
    for cause in ["syscall", "page_fault"] {
        profile.assert_accounted();
        let counted = profile.of_cause_in(cause, "steady");
        assert_known_of(cause, &profile, &format!("spinning: {cause}"), 0, counted);
    }
    let ticks = profile.count("interrupt", "local_timer");
    assert!(ticks > 0, "a second of spinning meets the tick");
    let checks = profile.0["accounting"]["cross_checks"]
        .as_array()
        .expect("a list");
    let check = checks
        .iter()
        .find(|check| {
            check["what"]
                .as_str()
                .is_some_and(|what| what.contains("local_timer"))
        })
        .expect("the tick is checked against /proc/interrupts");
    assert_ne!(check["verdict"], "inconsistent");
    assert_eq!(check["ours"].as_u64(), Some(ticks));
    let theirs = check["theirs"].as_u64().expect("a count");
    // Of the CPU's ticks it has the share that it has of the CPU's time; the
    // rest hit other tasks, or the kernel. A factor of two for what is chance.
    let user_ns = profile.0["accounting"]["usage"]["user_ns"]
        .as_u64()
        .expect("a time");
    let window_ns = profile.0["window"]["duration_ns"].as_u64().expect("a time");
    let expected = theirs * user_ns / window_ns;
    assert!(
        ticks * 2 > expected && ticks < expected * 2,
        "{ticks} of {theirs} ticks in {user_ns} of {window_ns} ns"
    );
}

/// A phase that the program names itself has that name in the report.
#[test]
fn root_named_phase() {
    needs_root!("root_named_phase");
    let profile = counts(&[], &["name", "777"]);
    let counted = profile.count_in("syscall", "getppid", "rebuild");
    assert_known(&profile, "phase of its own", 777, counted);
}

/// Each instruction that makes system calls has its own count.
#[test]
fn root_by_code() {
    needs_root!("root_by_code");
    let profile = counts(&[], &["getppid", "5000"]);
    let rows = profile.0["ledger"]["by_code"].as_array().expect("a list");
    let getppid: Vec<_> = rows
        .iter()
        .filter(|row| row["detail"] == "getppid")
        .collect();
    assert_eq!(
        getppid.len(),
        1,
        "one instruction makes them all: {getppid:?}"
    );
    let counted = getppid[0]["count"].as_u64().expect("a count");
    assert_known(&profile, "by instruction", 5000, counted);
}

/// Where the ledger has no room, entries lose their detail and not their count,
/// and the accounting says how many.
#[test]
fn root_full_ledger() {
    needs_root!("root_full_ledger");
    let profile = counts(&["--ledger-rows", "8"], &["fork", "50"]);
    let accounting = &profile.0["accounting"];
    let lost = accounting["map_full"].as_u64().expect("a count");
    assert!(lost > 0);
    // An audit has no room for returns, either, whose entries are counted.
    let rows_lost = &accounting["losses"]["ledger_full"];
    if accounting["audit"].is_null() {
        assert_eq!(*rows_lost, lost);
    } else {
        assert!(rows_lost.as_u64().expect("a count") >= lost);
    }
    // A return without its row could be of any cause.
    let causes = [
        "syscall",
        "page_fault",
        "new_task",
        "interrupt",
        "unclassified",
    ];
    let without_detail: u64 = causes
        .iter()
        .map(|cause| profile.count(cause, "no_room_for_detail"))
        .sum();
    assert_eq!(without_detail, lost);
    // Nor is an entry counted twice: as what it was, and as its return.
    let checks = accounting["cross_checks"].as_array().expect("a list");
    for check in checks {
        assert_ne!(check["verdict"], "inconsistent", "{check}");
    }
    if profile.sees_details() {
        // 50 children: that many first returns, one way or another.
        assert_eq!(profile.of_cause("new_task"), 50);
    }
}

/// The highest CPU that this process may use.
fn last_cpu() -> String {
    let allowed = modeswitch::measure::affinity::allowed();
    allowed.last().expect("some CPU").to_string()
}
