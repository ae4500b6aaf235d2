//! Programs whose counts are known, each a line of the table that the lab
//! prints and checks.

use serde_json::json;

use super::profile::Json;

/// Asserts that a known count was counted to the unit; or, where the profile
/// says that the kernel passed events over, that no more are missing than that.
#[track_caller]
pub(crate) fn assert_known(profile: &Json, name: &str, expected: u64, counted: u64) {
    let missed = profile.missed();
    let row = json!({
        "name": name, "expected": expected, "counted": counted, "missed": missed,
    });
    println!("KNOWN {row}");
    assert!(counted <= expected, "{name}: {counted}, not {expected}");
    assert!(
        expected - counted <= missed,
        "{name}: {counted}, not {expected}, and only {missed} are said to be missed"
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
