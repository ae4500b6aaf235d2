//! Kernel stacks, aggregated in a map.

use serde_json::Value;

use crate::{needs_root, support::profile::counts};

fn stacks(profile: &crate::support::profile::Json) -> Vec<Value> {
    profile.0["ledger"]["kernel_stacks"]
        .as_array()
        .expect("a list")
        .clone()
}

/// With `all`, the stacks of a cause add up to its count, and the bottom frame
/// is the way into the kernel.
#[test]
fn root_stacks_of_all() {
    needs_root!("root_stacks_of_all");
    let profile = counts(&["--stacks", "all"], &["getppid", "2000"]);
    // Stacks whose hashes collide can be lost, one frame long as they then are;
    // they are counted, and so are their entries.
    let lost = profile.0["accounting"]["stacks_lost"]
        .as_u64()
        .expect("a count");
    assert!(lost < 20, "{lost} stacks lost");
    let of_getppid: Vec<Value> = stacks(&profile)
        .into_iter()
        .filter(|stack| stack["detail"] == "getppid")
        .collect();
    let total: u64 = of_getppid
        .iter()
        .filter_map(|stack| stack["count"].as_u64())
        .sum();
    assert_eq!(total, 2000);
    for stack in &of_getppid {
        let frames = stack["frames"].as_array().expect("a list");
        let bottom = frames.last().and_then(Value::as_str).expect("a frame");
        assert!(bottom.starts_with("entry_SYSCALL_64"), "{frames:?}");
    }
}

/// With `sample`, the first entry of a row and every 64th after it has a stack; and
/// the first after its row was pushed out of the cache, which takes another entry.
#[test]
fn root_stacks_of_a_sample() {
    needs_root!("root_stacks_of_a_sample");
    let profile = counts(&["--stacks", "sample"], &["getppid", "6400"]);
    let total: u64 = stacks(&profile)
        .iter()
        .filter(|stack| stack["detail"] == "getppid")
        .filter_map(|stack| stack["count"].as_u64())
        .sum();
    assert_eq!(profile.count("syscall", "getppid"), 6400);
    let all = profile.0["ledger"]["total"].as_u64().expect("a count");
    assert!(
        (100..=100 + (all - 6400)).contains(&total),
        "{total} stacks of 6400 entries, {all} in all"
    );
}

/// By default none are taken.
#[test]
fn root_no_stacks_unasked() {
    needs_root!("root_no_stacks_unasked");
    assert!(stacks(&counts(&[], &["getppid", "10"])).is_empty());
}
