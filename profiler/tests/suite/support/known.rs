//! Programs whose counts are known, each a line of the table that the lab
//! prints and checks.

use serde_json::json;

use super::profile::Json;

/// Asserts that a known count of what ends in a return from a system call was
/// counted to the unit: see [`assert_known_of`].
#[track_caller]
pub(crate) fn assert_known(profile: &Json, name: &str, expected: u64, counted: u64) {
    assert_known_of("syscall", profile, name, expected, counted);
}

/// Asserts that a known count of a cause was counted to the unit. Where the profile
/// says that the kernel passed over events of the programs that count this cause, so
/// many may be missing, in all counts of the profile together, but never most.
#[track_caller]
pub(crate) fn assert_known_of(
    cause: &str,
    profile: &Json,
    name: &str,
    expected: u64,
    counted: u64,
) {
    let missed = profile.missed_of(cause);
    let row = json!({
        "name": name, "expected": expected, "counted": counted, "missed": missed,
    });
    println!("KNOWN {row}");
    assert!(counted <= expected, "{name}: {counted}, not {expected}");
    let missing = expected - counted;
    let excused = profile.excuse(missing, missed);
    assert!(
        excused,
        "{name}: {counted}, not {expected}, and of {cause} only {missed} are said to be missed, \
         for all counts of this run"
    );
    assert!(
        missing <= counted,
        "{name}: {counted}, not {expected}: most are missing"
    );
}

/// As [`assert_known`], where many threads share a CPU: of a thousand calls at most one
/// may be missing, however many the kernel says that it has passed over. Kprobes may miss
/// more, wherever tasks are preempted in the kernel.
#[track_caller]
pub(crate) fn assert_next_to_none_missing(profile: &Json, name: &str, expected: u64, counted: u64) {
    assert_known(profile, name, expected, counted);
    let is_kprobe = profile.0["backend"]["probe"]
        .as_str()
        .is_some_and(|probe| probe.starts_with("kprobe"));
    assert!(
        is_kprobe || (expected - counted) * 1000 <= expected,
        "{name}: {counted}, not {expected}: more than one in a thousand is missing"
    );
}

/// Asserts that a count that chance has a part in is within its bounds.
#[track_caller]
pub(crate) fn assert_within(name: &str, least: u64, most: u64, counted: u64) {
    let row = json!({ "name": name, "least": least, "most": most, "counted": counted });
    println!("KNOWN {row}");
    assert!(
        (least..=most).contains(&counted),
        "{name}: {counted}, not {least} to {most}"
    );
}

/// Notes that a count cannot be had with this backend or on this kernel.
pub(crate) fn cannot_be_known(name: &str, reason: &str) {
    let row = json!({ "name": name, "unavailable": reason });
    println!("KNOWN {row}");
}

/// Notes a count that is known to be inexact and is said to be so.
pub(crate) fn known_to_be_inexact(name: &str, expected: u64, counted: u64, said: &str) {
    let row = json!({
        "name": name, "expected": expected, "counted": counted, "inexact": said,
    });
    println!("KNOWN {row}");
}

/// Misses of one program excuse no count of another's, none twice, and never most of
/// a count.
#[test]
fn only_misses_of_what_counts_a_cause_excuse_it() {
    let profile = |program: &str, missed: u64| {
        Json::from(json!({
            "backend": { "probe": null },
            "accounting": { "misses": [{ "program": program, "count": missed }] },
        }))
    };
    let passes = |profile: &Json, cause: &str, expected: u64, counted: u64| {
        let known = || assert_known_of(cause, profile, "a test of the test", expected, counted);
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(known)).is_ok()
    };
    assert!(!passes(
        &profile("local_timer_entry", 21_026),
        "syscall",
        8,
        4
    ));
    assert!(!passes(&profile("sys_exit", 21_026), "syscall", 4, 0));
    assert!(!passes(&profile("sys_exit", 21_026), "page_fault", 100, 99));
    assert!(!passes(&profile("sys_exit", 3), "syscall", 8, 4));
    let shared = profile("sys_exit", 4);
    assert!(passes(&shared, "syscall", 8, 8));
    assert!(passes(&shared, "syscall", 8, 5));
    assert!(passes(&shared, "new_task", 8, 7));
    assert!(
        !passes(&shared, "syscall", 80_000, 79_999),
        "all four are spent"
    );
}

/// The side of an audit that counted less has to have missed as much.
#[test]
fn audits_differ_by_what_the_lesser_side_missed() {
    let passes = |program: &str, difference: i64| {
        let profile = Json::from(json!({
            "accounting": {
                "losses": {}, "unclassified": 0, "cross_checks": [],
                "misses": [{ "program": program, "count": 40 }],
                "audit": { "difference": difference },
            },
        }));
        let accounted = || profile.assert_accounted();
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(accounted)).is_ok()
    };
    assert!(passes("sys_exit", 40) && !passes("sys_exit", 41));
    assert!(!passes("sys_exit", -1) && passes("exit_fentry_fpregs", -40));
    assert!(!passes("exit_fentry_fpregs", 1));
}
