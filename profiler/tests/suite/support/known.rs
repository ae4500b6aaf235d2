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
