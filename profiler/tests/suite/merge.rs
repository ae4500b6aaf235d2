//! `modeswitch report` of several runs, on saved profiles.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::command::{assert_fails, run, stderr};

const USAGE: i32 = 2;

fn data(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    folder.join(name)
}

fn read(path: &Path) -> Value {
    let text = std::fs::read(path).expect("a file");
    serde_json::from_slice(&text).expect("JSON")
}

/// What is printed of several files in a format.
#[track_caller]
fn printed(format: &str, files: &[&Path]) -> String {
    let words = ["report", "--format", format].map(std::ffi::OsStr::new);
    let files = files.iter().map(|file| file.as_os_str());
    let output = run(words.into_iter().chain(files));
    assert!(output.status.success(), "{}", stderr(&output));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn sum(files: &[&Path]) -> Value {
    serde_json::from_str(&printed("json", files)).expect("JSON")
}

/// A run of the same command with more entries of its most frequent cause, other
/// numbers of processes and threads, and other addresses.
fn another_run(path: &Path, more: u64) -> Value {
    let mut run = read(path);
    let add =
        |value: &mut Value, more: u64| *value = json!(value.as_u64().expect("a count") + more);
    let ledger = &mut run["ledger"];
    add(&mut ledger["total"], more);
    let first = &mut ledger["by_cause"][0];
    let name = (first["cause"].clone(), first["detail"].clone());
    add(&mut first["count"], more);
    let (_, phase) = first["phases"]
        .as_object_mut()
        .and_then(|phases| phases.iter_mut().next())
        .expect("a phase");
    add(phase, more);
    let mut left = more;
    for thread in ledger["by_thread"].as_array_mut().expect("threads") {
        for number in ["tid", "tgid"] {
            add(&mut thread[number], 100_000);
        }
        for row in thread["by_cause"].as_array_mut().expect("rows") {
            if left != 0 && row["cause"] == name.0 && row["detail"] == name.1 {
                add(&mut row["count"], left);
                left = 0;
            }
        }
    }
    for row in ledger["by_code"].as_array_mut().expect("rows") {
        add(&mut row["tgid"], 100_000);
        row["user_ip"] = json!(format!(
            "0x7{}",
            &row["user_ip"].as_str().expect("hex")[2..]
        ));
    }
    run
}

/// The sum of two runs has the counts of both, under the threads and the code of
/// the first; every format says how many runs it is of, and nobody takes it for one.
#[test]
fn runs_of_one_command_are_added_up() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in [
        "profiles/workload.json",
        "profiles/stacks.json",
        "gate/quiet.json",
    ] {
        let first = data(name);
        let second = folder.path().join("second.json");
        std::fs::write(&second, another_run(&first, 1000).to_string()).expect("a file");
        let one = read(&first);
        let both = sum(&[&first, &second]);
        let count = |value: &Value| value.as_u64().expect("a count");
        assert_eq!(both["runs"], 2);
        let total = count(&one["ledger"]["total"]);
        assert_eq!(both["ledger"]["total"], 2 * total + 1000, "{name}");
        let rows = |table: &str| {
            let table = |run: &Value| run["ledger"][table].as_array().expect("rows").len();
            (table(&one), table(&both))
        };
        for table in ["by_cause", "by_thread"] {
            let (of_one, of_both) = rows(table);
            assert_eq!(of_one, of_both, "{name}: {table}");
        }
        let tids = |run: &Value| -> Vec<u64> {
            let threads = run["ledger"]["by_thread"].as_array().expect("rows");
            threads.iter().map(|row| count(&row["tid"])).collect()
        };
        assert_eq!(tids(&one), tids(&both), "{name}");
        assert!(both["io"].is_null() && both["timeline"].is_null());
        let unavailable = both["accounting"]["unavailable"].to_string();
        for (part, words) in [("io", "its own work"), ("timeline", "over time")] {
            let is_said = unavailable.contains(words);
            assert_eq!(is_said, !one[part].is_null(), "{name}: {unavailable}");
        }
        for format in ["table", "wide", "markdown", "html"] {
            let text = printed(format, &[&first, &second]);
            assert!(text.contains("2 runs of together"), "{name}: {format}");
        }
        let folded = printed("folded", &[&first, &second]);
        let weights = folded.lines().map(|line| {
            let (_, weight) = line.rsplit_once(' ').expect("a count");
            weight.parse::<u64>().expect("a number")
        });
        assert_eq!(weights.sum::<u64>(), 2 * total + 1000, "{name}");
        for format in ["csv", "trace", "openmetrics", "flamegraph"] {
            printed(format, &[&first, &second]);
        }
        let saved = folder.path().join("sum.json");
        std::fs::write(&saved, both.to_string()).expect("a file");
        assert_eq!(sum(&[&saved, &first])["runs"], 3);
        let single = ["2 runs", "single runs"];
        assert_fails(
            &run(["compare".as_ref(), saved.as_os_str(), first.as_os_str()]),
            USAGE,
            &single,
        );
        let budget = data("gate/budget.toml");
        let words = ["check", "--budget"].map(std::ffi::OsStr::new);
        let files = [budget.as_os_str(), saved.as_os_str()];
        assert_fails(&run(words.into_iter().chain(files)), USAGE, &single);
    }
}

/// What are no runs of one command is not added up, and the message says why.
#[test]
fn what_differs_is_not_added_up() {
    let [quiet, stray] = ["gate/quiet.json", "gate/stray.json"].map(data);
    let report = |first: &Path, second: &Path| {
        run(["report".as_ref(), first.as_os_str(), second.as_os_str()])
    };
    let words = ["command", "./poller quiet", "./poller stray", "compare"];
    assert_fails(&report(&quiet, &stray), USAGE, &words);
    let folder = tempfile::tempdir().expect("a folder");
    let other = folder.path().join("other.json");
    let mut changed = read(&quiet);
    changed["backend"]["name"] = json!("fentry");
    std::fs::write(&other, changed.to_string()).expect("a file");
    assert_fails(
        &report(&quiet, &other),
        USAGE,
        &["backend", "tracepoint", "fentry"],
    );
    assert_fails(&report(&quiet, &quiet), USAGE, &["given twice"]);
    let experiment = data("html-experiment.json");
    assert_fails(
        &report(&quiet, &experiment),
        USAGE,
        &["experiment", "by itself"],
    );
}
