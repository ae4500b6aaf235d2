//! Saved profiles are printed as they always were, in every format.
//!
//! The snapshots lie beside the profiles; CONTRIBUTING says how to renew them.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use serde_json::Value;

use crate::support::{
    command::{assert_fails, modeswitch, run, stderr},
    profile::from_file,
    snapshot::assert_same,
};

const USAGE: i32 = 2;
/// An experiment of the in-tree workload, an entry that was lost, user stacks.
pub(crate) const PROFILES: [&str; 3] = ["workload", "losses", "stacks"];
/// Formats whose every letter is kept.
const FORMATS: [&str; 8] = [
    "table",
    "wide",
    "markdown",
    "csv",
    "folded",
    "flamegraph",
    "trace",
    "openmetrics",
];

/// A file beside the saved profiles.
pub(crate) fn data(name: &str, ending: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/profiles")
        .join(format!("{name}.{ending}"))
}

/// A saved profile in a format.
#[track_caller]
pub(crate) fn printed(name: &str, format: &str) -> Vec<u8> {
    let profile = data(name, "json");
    let output = run([
        "report".as_ref(),
        "--format".as_ref(),
        format.as_ref(),
        profile.as_os_str(),
    ]);
    assert!(output.status.success(), "{}", stderr(&output));
    output.stdout
}

/// Each format of each profile is what lies beside it.
#[test]
fn formats_are_as_they_were() {
    for profile in PROFILES {
        for format in FORMATS {
            let text = String::from_utf8(printed(profile, format)).expect("UTF-8");
            assert_same("profiles", &format!("{profile}.{format}"), &text);
        }
    }
}

/// Rows are of all processes of a program, or of one process if that is asked for, and
/// say the same in all.
#[test]
fn rows_are_of_programs_or_processes() {
    let profile = data("losses", "json");
    let rows = |owner: &str| {
        let words = ["report", "--format", "wide", "--by", owner];
        let mut command = modeswitch();
        let output = command.args(words).arg(&profile).output();
        let output = output.expect("the binary starts");
        assert!(output.status.success(), "{}", stderr(&output));
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let rows = text
            .lines()
            .filter(|line| line.contains("| openat     |") && line.contains("__open64_nocancel"));
        let cells = rows.map(|row| {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            (
                cells[2].to_owned(),
                cells[4].parse::<u64>().expect("a count"),
            )
        });
        cells.collect::<Vec<_>>()
    };
    let programs = rows("program");
    assert_eq!(programs.len(), 2, "{programs:?}");
    assert_eq!(programs[0], ("ls × 4".to_owned(), 116));
    let processes = rows("process");
    assert_eq!(processes.len(), 7, "{processes:?}");
    let sum = |rows: &[(String, u64)]| rows.iter().map(|(_, count)| count).sum::<u64>();
    assert_eq!(sum(&programs), sum(&processes));
}

/// So is a page.
#[test]
fn pages_are_as_they_were() {
    let text = String::from_utf8(printed("workload", "html")).expect("UTF-8");
    assert_same("profiles", "workload.html", &text);
}

/// So is an experiment.
#[test]
fn experiments_are_as_they_were() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/html-experiment.json");
    for format in ["table", "wide", "markdown", "html"] {
        let output = run([
            "report".as_ref(),
            "--format".as_ref(),
            format.as_ref(),
            file.as_os_str(),
        ]);
        assert!(output.status.success(), "{}", stderr(&output));
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        assert_same("experiments", &format!("sqpoll.{format}"), &text);
    }
}

/// So is a comparison.
#[test]
fn comparisons_are_as_they_were() {
    let sides = ["losses", "stacks"].map(|name| data(name, "json").into_os_string());
    for format in ["table", "wide", "markdown", "html"] {
        let words = ["compare", "--format", format].map(std::ffi::OsString::from);
        let output = run(words.into_iter().chain(sides.clone()));
        assert!(output.status.success(), "{}", stderr(&output));
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        assert_same("comparisons", &format!("losses-stacks.{format}"), &text);
    }
}

/// The JSON of a profile, printed again, has all that was saved. Newer versions
/// may have more to say.
#[test]
fn json_is_kept() {
    for profile in PROFILES {
        let again: Value = serde_json::from_slice(&printed(profile, "json")).expect("JSON");
        assert_kept(&from_file(&data(profile, "json")).0, &again, profile);
    }
}

/// Asserts that everything in one document is in another one.
#[track_caller]
fn assert_kept(saved: &Value, again: &Value, path: &str) {
    match (saved, again) {
        (Value::Object(saved), Value::Object(again)) => {
            for (name, value) in saved {
                let found = again.get(name).unwrap_or(&Value::Null);
                // A rule of now says what older counts are worth.
                if name == "inexact"
                    && found.as_array().map(Vec::len) > value.as_array().map(Vec::len)
                {
                    continue;
                }
                assert_kept(value, found, &format!("{path}.{name}"));
            }
        }
        (Value::Array(saved), Value::Array(again)) => {
            assert_eq!(saved.len(), again.len(), "{path}");
            for (place, (value, found)) in saved.iter().zip(again).enumerate() {
                assert_kept(value, found, &format!("{path}[{place}]"));
            }
        }
        _ => assert_eq!(saved, again, "{path}"),
    }
}

/// The weights of a flame graph add up to the ledger's total, with and without
/// stacks, and where entries have lost their thread.
#[test]
fn folded_weights_add_up() {
    for profile in PROFILES {
        let text = String::from_utf8(printed(profile, "folded")).expect("UTF-8");
        let weight = |line: &str| {
            let (_, count) = line.rsplit_once(' ').expect("a count");
            count.parse::<u64>().expect("a number")
        };
        let total = from_file(&data(profile, "json")).0["ledger"]["total"].as_u64();
        assert_eq!(
            text.lines().map(weight).sum::<u64>(),
            total.expect("a total")
        );
    }
}

/// The events of a trace are what the format asks for, each kind of them, and all
/// stays in phases are there.
#[test]
fn traces_are_well_formed() {
    for profile in PROFILES {
        let trace: Value = serde_json::from_slice(&printed(profile, "trace")).expect("JSON");
        let saved = from_file(&data(profile, "json")).0;
        let mut spans = 0;
        for event in trace["traceEvents"].as_array().expect("a list") {
            let number = |field: &str| event[field].as_f64().filter(|&n| n >= 0.0);
            assert!(event["name"].is_string(), "{event}");
            assert!(event["pid"].is_u64(), "{event}");
            let phase = event["ph"].as_str().expect("a kind");
            if phase != "M" {
                assert!(number("ts").is_some(), "{event}");
            }
            match phase {
                "M" => assert!(
                    event["args"].is_object() && event["tid"].is_u64(),
                    "{event}"
                ),
                "X" => {
                    assert!(number("dur").is_some() && event["tid"].is_u64(), "{event}");
                    spans += 1;
                }
                "C" => {
                    let mut values = event["args"].as_object().expect("series").values();
                    assert!(values.all(Value::is_number), "{event}");
                }
                "i" => {
                    assert!(event["tid"].is_u64(), "{event}");
                    assert!(["t", "p", "g"].contains(&event["s"].as_str().expect("a scope")));
                }
                other => panic!("{other} is not a kind of event that is written"),
            }
        }
        let known = saved["window"]["phase_spans"]
            .as_array()
            .map_or(0, Vec::len);
        assert_eq!(spans, known);
    }
}

/// On a terminal of 70 columns no line of the tables is longer.
#[test]
fn tables_fit_a_narrow_terminal() {
    for profile in PROFILES {
        let mut command = std::process::Command::new("script");
        let inner = format!(
            "stty cols 70 rows 40; {} report {}",
            env!("CARGO_BIN_EXE_modeswitch"),
            data(profile, "json").display()
        );
        let output = command
            .args(["--quiet", "--return", "--command", &inner, "/dev/null"])
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .output();
        let output = output.expect("script (Debian: bsdutils) starts");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(text.contains("By cause"), "{text}");
        for line in text.lines() {
            let line = line.trim_end();
            // A single word can be longer than that: a path, a function's name.
            let is_one = line.trim_start().split(' ').count() < 2;
            let is_frame = line.starts_with("    ");
            let fits = line.chars().count() <= 70;
            assert!(fits || is_one || is_frame, "{profile}: {line:?}");
        }
    }
}

/// What a document cannot be is said, with what it can be.
#[test]
fn formats_that_a_document_lacks() {
    let folder = tempfile::tempdir().expect("a folder");
    let profile = data("workload", "json");
    let output = run(["experiment", "--format", "csv"]);
    assert_fails(
        &output,
        USAGE,
        &["csv", "table, wide, json, markdown, html"],
    );
    let experiment = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/html-experiment.json");
    let words = ["report", "--format", "csv"].map(std::ffi::OsStr::new);
    let output = run(words.into_iter().chain([experiment.as_os_str()]));
    assert_fails(
        &output,
        USAGE,
        &["an experiment", "csv", "table, wide, json"],
    );
    let output = run([
        "report".as_ref(),
        "--format".as_ref(),
        "nonsense".as_ref(),
        profile.as_os_str(),
    ]);
    assert_fails(&output, USAGE, &["nonsense", "openmetrics", "flamegraph"]);
    let written = folder.path().join("metrics.prom");
    let report = |file: &Path| {
        run([
            "report".as_ref(),
            "--format".as_ref(),
            "openmetrics".as_ref(),
            "-o".as_ref(),
            file.as_os_str(),
            profile.as_os_str(),
        ])
    };
    let output = report(&written);
    assert!(output.status.success() && output.stdout.is_empty());
    let text = std::fs::read(&written).expect("written");
    assert_eq!(text, printed("workload", "openmetrics"));
    let names = std::fs::read_dir(folder.path()).expect("ours").count();
    assert_eq!(names, 1, "nothing else is left there");
    let output = report(Path::new("/no/such/folder/x.prom"));
    assert_fails(&output, 6, &["/no/such/folder/x.prom"]);
}

/// A reader that closes the pipe after a few bytes is no error, in any format.
#[test]
fn pipes_closed_early() {
    for format in FORMATS {
        let mut child = modeswitch()
            .args(["report", "--format", format])
            .arg(data("workload", "json"))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        drop(child.stdout.take());
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{format}: {}", stderr(&output));
        assert!(output.stderr.is_empty(), "{format}: {}", stderr(&output));
    }
}
