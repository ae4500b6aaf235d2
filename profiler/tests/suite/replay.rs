//! Saved snapshots, replayed without privileges: all that follows the collection works
//! on them alone.

use std::{fs, path::PathBuf};

use modeswitch::{profile::build, symbolize::measurement::Measurement};
use serde_json::Value;

use crate::support::snapshot::is_update;

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/snapshots"))
}

/// The names of the runs that were kept.
fn runs() -> Vec<String> {
    let entries = fs::read_dir(folder()).expect("the folder of snapshots");
    let names = entries.map(|entry| {
        let name = entry.expect("an entry").file_name();
        name.into_string().expect("a plain name")
    });
    let mut runs: Vec<String> = names
        .filter_map(|name| Some(name.strip_suffix(".snapshot.json")?.to_owned()))
        .collect();
    runs.sort();
    runs
}

/// Where two documents differ first, and how.
fn difference(path: &str, ours: &Value, theirs: &Value) -> Option<String> {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let mut keys = ours.keys().chain(theirs.keys());
            keys.find_map(|key| {
                let of = |object: &serde_json::Map<String, Value>| {
                    object.get(key).cloned().unwrap_or_default()
                };
                difference(&format!("{path}.{key}"), &of(ours), &of(theirs))
            })
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            let mut pairs = ours.iter().zip(theirs).enumerate();
            pairs.find_map(|(n, (ours, theirs))| difference(&format!("{path}[{n}]"), ours, theirs))
        }
        _ => (ours != theirs).then(|| format!("{path}: {ours} instead of {theirs}")),
    }
}

/// A snapshot gives the profile that the run itself gave, whichever version wrote it.
#[test]
fn snapshots_give_the_profile_of_their_run() {
    let runs = runs();
    assert!(!runs.is_empty(), "there are no snapshots");
    for run in runs {
        let snapshot = fs::read(folder().join(format!("{run}.snapshot.json")));
        let measurement = Measurement::read(&snapshot.expect("a snapshot"))
            .unwrap_or_else(|error| panic!("{run}: {error}"));
        let path = folder().join(format!("{run}.profile.json"));
        let kept = fs::read_to_string(&path).expect("the run's profile");
        let mut kept: Value = serde_json::from_str(&kept).expect("JSON");
        // Through text, as the run's: reading numbers rounds them.
        let text = serde_json::to_string(&build::profile(&measurement)).expect("plain data");
        let mut ours: Value = serde_json::from_str(&text).expect("JSON");
        // Who wrote it is not what was measured.
        kept["tool"] = Value::Null;
        if is_update() {
            fs::write(&path, text + "\n").expect("writable");
        }
        ours["tool"] = Value::Null;
        let difference = difference("", &ours, &kept).filter(|_| !is_update());
        assert_eq!(difference, None, "{run}");
        assert!(ours["ledger"]["total"].as_u64() > Some(0), "{run}: nothing");
    }
}

/// What is read is what was written, and another version's is refused.
#[test]
fn snapshots_are_read_as_they_were_written() {
    let run = runs().swap_remove(0);
    let kept = fs::read(folder().join(format!("{run}.snapshot.json"))).expect("a snapshot");
    let measurement = Measurement::read(&kept).expect("a snapshot");
    let mut again = Vec::new();
    measurement.write(&mut again).expect("written");
    let parse = |bytes: &[u8]| -> Value { serde_json::from_slice(bytes).expect("JSON") };
    assert_eq!(difference("", &parse(&again), &parse(&kept)), None);
    let mut newer = parse(&kept);
    newer["snapshot_version"] = 2.into();
    let newer = serde_json::to_vec(&newer).expect("JSON");
    let refusal = Measurement::read(&newer).expect_err("another version");
    assert!(refusal.to_string().contains("version 2"), "{refusal}");
}
