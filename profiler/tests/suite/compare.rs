//! `modeswitch compare` on saved profiles: real ones, changed in known ways.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::command::{assert_fails, run, stderr};

/// A profile as modeswitch wrote it.
const SAVED: &str = include_str!("../documents/profile.json");

fn saved() -> Value {
    serde_json::from_str(SAVED).expect("JSON")
}

struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn save(&self, name: &str, document: &Value) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, document.to_string()).expect("a file");
        path
    }
}

fn compared(sides: &[&Path]) -> Value {
    let arguments = ["compare", "--format", "json"].map(std::ffi::OsStr::new);
    let sides = sides.iter().map(|side| side.as_os_str());
    let output = run(arguments.into_iter().chain(sides));
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).expect("one JSON document")
}

fn row<'a>(rows: &'a Value, keys: &[(&str, &str)]) -> &'a Value {
    let mut rows = rows.as_array().expect("rows").iter();
    rows.find(|row| keys.iter().all(|(key, value)| row[key] == *value))
        .expect("a row with these values")
}

/// Adds to a cause, its instruction and the total, as a regression would.
fn add_calls(document: &mut Value, name: &str, symbol: &str, more: u64) {
    let add = |value: &mut Value| *value = json!(value.as_u64().expect("a count") + more);
    let ledger = &mut document["ledger"];
    add(&mut ledger["total"]);
    let causes = ledger["by_cause"].as_array_mut().expect("rows");
    causes.push(json!({"cause": "syscall", "detail": name, "count": more,
        "phases": {"unmarked": more}, "per_second": 0.0, "time_ns": null}));
    let code = ledger["by_code"].as_array_mut().expect("rows");
    code.push(
        json!({"cause": "syscall", "detail": name, "count": more, "tgid": 1,
        "user_ip": "0x1", "symbol": symbol, "file": "/src/poll.c", "line": 12, "stack": null}),
    );
}

/// A new system call is named in the first sentence, with its function, and is
/// gone the other way around.
#[test]
fn a_regression_is_named() {
    let files = Files::new();
    let before = saved();
    let mut after = saved();
    add_calls(&mut after, "gettimeofday", "poll_once", 50_000);
    let (before, after) = (files.save("a.json", &before), files.save("b.json", &after));
    let found = compared(&[&before, &after]);
    let verdict = found["verdict"].as_str().expect("a sentence");
    for word in ["b made more entries", "gettimeofday", "poll_once", "1 run"] {
        assert!(verdict.contains(word), "`{word}` is not in: {verdict}");
    }
    let keys = [("detail", "gettimeofday")];
    let rows = &found["comparisons"][0];
    assert_eq!(row(&rows["by_cause"], &keys)["change"]["status"], "new");
    assert_eq!(
        row(&rows["by_cause"], &keys)["change"]["difference"],
        50_000.0
    );
    assert_eq!(row(&rows["by_code"], &keys)["code"], "poll_once");
    let back = compared(&[&after, &before]);
    let back = row(&back["comparisons"][0]["by_cause"], &keys).clone();
    assert_eq!(back["change"]["status"], "gone");
    assert_eq!(back["change"]["difference"], -50_000.0);
}

/// Five runs beside five tell a difference from chance; one beside one does not
/// claim to.
#[test]
fn repeated_runs_are_judged() {
    let files = Files::new();
    for run in 0..5 {
        let mut before = saved();
        add_calls(&mut before, "futex", "lock", 10 + run);
        files.save(&format!("old-{run}.json"), &before);
        let mut after = saved();
        add_calls(&mut after, "futex", "lock", 20_000 + run);
        files.save(&format!("new-{run}.json"), &after);
    }
    let folder = files.0.path();
    let found = compared(&[&folder.join("old-*.json"), &folder.join("new-*.json")]);
    assert_eq!(found["sides"][0]["label"], "old");
    assert_eq!(found["method"]["runs"], 5);
    let entries = row(&found["comparisons"][0]["totals"], &[("cause", "all")]);
    assert_eq!(entries["change"]["judgement"]["differs"], true);
    let verdict = found["verdict"].as_str().expect("a sentence");
    assert!(!verdict.contains("chance"), "{verdict}");
    let single = compared(&[&folder.join("old-0.json"), &folder.join("new-0.json")]);
    let entries = row(&single["comparisons"][0]["totals"], &[("cause", "all")]);
    assert_eq!(entries["change"]["judgement"], Value::Null);
    let verdict = single["verdict"].as_str().expect("a sentence");
    assert!(verdict.contains("told from chance"), "{verdict}");
}

/// What one side could not see is unknown there, and not 0 or gone; bounds and
/// other machines are said.
#[test]
fn what_cannot_be_compared_is_said() {
    let files = Files::new();
    let mut before = saved();
    let causes = before["ledger"]["by_cause"].as_array_mut().expect("rows");
    causes.push(
        json!({"cause": "exception", "detail": "invalid_opcode", "count": 3,
        "phases": {}, "per_second": 0.0, "time_ns": null}),
    );
    before["accounting"]["unavailable"] = json!([]);
    let mut after = saved();
    after["host"]["kernel"] = json!("9.9.9-other");
    after["accounting"]["inexact"] = json!(["7 events were missed"]);
    after["accounting"]["unavailable"] =
        json!([{"what": "exceptions other than page faults", "reason": "no tracepoint"}]);
    let (before, after) = (files.save("a.json", &before), files.save("b.json", &after));
    let found = compared(&[&before, &after]);
    let rows = &found["comparisons"][0]["by_cause"];
    let change = &row(rows, &[("detail", "invalid_opcode")])["change"];
    assert_eq!(change["status"], "unknown");
    assert_eq!(change["after"], Value::Null);
    let warnings = found["warnings"].to_string();
    assert!(warnings.contains("9.9.9-other") && warnings.contains("lower bound"));
    let output = run(["compare".as_ref(), before.as_os_str(), after.as_os_str()]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("unknown") && text.contains("≥ "), "{text}");
}

/// Three sides, Markdown, a saved document, and sides that do not exist.
#[test]
fn sides_and_formats() {
    let files = Files::new();
    let path = files.save("a.json", &saved());
    let again = files.save("b.json", &saved());
    let saved_to = files.0.path().join("out.json");
    let path = path.to_str().expect("text");
    let named = |name: &str| format!("{name}={path},{}", again.display());
    let output = run([
        "compare",
        "--format",
        "markdown",
        "--save",
        saved_to.to_str().expect("text"),
        &named("one"),
        &named("two"),
        &named("three"),
    ]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.starts_with("### one and two made the same entries"),
        "{text}"
    );
    assert!(text.contains("## three beside one"), "{text}");
    let document = std::fs::read(&saved_to).expect("saved");
    let document: Value = serde_json::from_slice(&document).expect("JSON");
    assert_eq!(document["kind"], "comparison");
    assert_fails(&run(["compare", path]), 2, &["SIDE"]);
    assert_fails(
        &run(["compare", path, "no-such.json"]),
        2,
        &["no-such.json"],
    );
    let nothing = files.0.path().join("none-*.json");
    let output = run(["compare", path, nothing.to_str().expect("text")]);
    assert_fails(&output, 2, &["none-*.json"]);
    let (one, other) = (named("same"), named("same"));
    let twice = format!("a={path},{path}");
    assert_fails(&run(["compare", &twice, &other]), 2, &["given twice"]);
    assert_fails(&run(["compare", &one, &other]), 2, &["two sides"]);
    let comparison = saved_to.to_str().expect("text");
    assert_fails(
        &run(["compare", path, comparison]),
        2,
        &["comparison", "not a profile"],
    );
    let output = run(["report", "--format", "markdown", comparison]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), text);
}
