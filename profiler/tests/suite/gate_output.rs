//! `modeswitch check` on saved profiles: every format, read as its readers read
//! it, and every exit status.

use std::{
    path::PathBuf,
    process::{Command, Output},
};

use serde_json::Value;

use crate::support::{
    command::{assert_fails, modeswitch},
    skip,
    snapshot::assert_same,
};

const BREACHED: i32 = 1;
const USAGE: i32 = 2;
const INCONCLUSIVE: i32 = 4;

/// Where the sources of the saved profiles were.
const SOURCES: &str = "/tmp/gate";

fn data() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/gate")
}

/// `check` with the saved profiles at hand.
fn check(arguments: &[&str]) -> Output {
    modeswitch()
        .arg("check")
        .args(arguments)
        .current_dir(data())
        .env("GITHUB_WORKSPACE", SOURCES)
        .output()
        .expect("the binary starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

/// The same runs in all formats are what they were. The version is left out of
/// the document.
#[test]
fn formats_are_as_they_were() {
    for (profile, status) in [("stray", BREACHED), ("lossy", INCONCLUSIVE)] {
        let file = format!("{profile}.json");
        for format in ["table", "markdown", "html", "junit", "json", "github"] {
            let output = check(&[&file, "--budget", "budget.toml", "--format", format]);
            assert_eq!(output.status.code(), Some(status), "{profile} {format}");
            let mut text = stdout(&output);
            if format == "json" {
                let mut document: Value = serde_json::from_str(&text).expect("one document");
                document["tool"] = Value::Null;
                text = serde_json::to_string_pretty(&document).expect("JSON") + "\n";
            }
            assert_same("gate", &format!("{profile}.{format}"), &text);
        }
    }
}

/// A profile beside another: what is new is called so, and the same is no breach.
#[test]
fn baseline_of_saved_profiles() {
    // A run is no two runs that agree, under whatever names.
    let link = tempfile::tempdir().expect("a folder");
    let link = link.path().join("link.json");
    std::os::unix::fs::symlink(data().join("quiet.json"), &link).expect("a link");
    let link = link.to_str().expect("UTF-8");
    for twice in ["quiet.json", link] {
        let output = check(&["stray.json", "--baseline", "quiet.json", twice]);
        assert_fails(&output, USAGE, &["given twice"]);
    }
    let output = check(&["stray.json", "--baseline", "quiet.json"]);
    assert_eq!(output.status.code(), Some(BREACHED));
    let text = stdout(&output);
    assert!(
        text.contains("syscall clock_gettime in steady (new)"),
        "{text}"
    );
    assert!(text.contains("stray_clock at /tmp/gate/gate.c:"), "{text}");
    let output = check(&["quiet.json", "--baseline", "quiet.json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    for arguments in [
        ["lossy.json", "--baseline", "quiet.json"],
        ["quiet.json", "--baseline", "lossy.json"],
    ] {
        assert_eq!(check(&arguments).status.code(), Some(INCONCLUSIVE));
    }
}

/// A budget is made from saved profiles, is kept by them, and not made of lossy
/// ones.
#[test]
fn update_from_saved_profiles() {
    let folder = tempfile::tempdir().expect("a folder");
    let budget = folder.path().join("new.toml");
    let budget = budget.to_str().expect("UTF-8");
    let output = check(&["lossy.json", "--budget", budget, "--update"]);
    assert_eq!(output.status.code(), Some(INCONCLUSIVE));
    assert!(!PathBuf::from(budget).exists(), "nothing was written");
    let output = check(&["quiet.json", "--budget", budget, "--update"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    let again = |file: &str| check(&[file, "--budget", budget]).status.code();
    assert_eq!(again("quiet.json"), Some(0));
    assert_eq!(again("stray.json"), Some(BREACHED));
    assert_eq!(again("lossy.json"), Some(INCONCLUSIVE));
}

/// What is wrong with a budget is shown where it is, before anything is measured.
#[test]
fn bad_budgets() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bad.toml");
    std::fs::write(&path, "[[limit]]\ncause = \"sycsall\"\nhard = 0\n").expect("a file");
    let path = path.to_str().expect("UTF-8");
    let words = [
        "bad.toml:2:9",
        "cause = \"sycsall\"",
        "^^^^^^^^^",
        "did you mean `syscall`?",
    ];
    assert_fails(&check(&["quiet.json", "--budget", path]), USAGE, &words);
    assert_fails(&check(&["--budget", path, "--", "true"]), USAGE, &words);
    assert_fails(
        &check(&["quiet.json", "--budget", "/no/such/budget"]),
        USAGE,
        &["/no/such/budget", "--update"],
    );
    assert_fails(&check(&["quiet.json"]), USAGE, &["--budget", "--baseline"]);
    assert_fails(&check(&["--budget", "budget.toml"]), USAGE, &["PROFILE"]);
    assert_fails(
        &check(&["budget.toml", "--budget", "budget.toml"]),
        USAGE,
        &["not JSON"],
    );
}

/// Reads `JUnit` XML from standard input as CI systems written in Python do, and
/// prints the names of failed and of erroneous cases.
const READER: &str = "
import sys, tempfile, junitparser
with tempfile.NamedTemporaryFile(suffix='.xml') as file:
    file.write(sys.stdin.buffer.read()); file.flush()
    suites = junitparser.JUnitXml.fromfile(file.name)
for suite in suites:
    cases = list(suite)
    assert len(cases) == suite.tests, (len(cases), suite.tests)
    kinds = [type(result).__name__ for case in cases for result in case.result]
    assert kinds.count('Failure') == suite.failures and kinds.count('Error') == suite.errors
    for case in cases:
        print(case.name, [(type(result).__name__, result.type) for result in case.result])
";

/// A `JUnit` library reads what we write, with the counts that we claim.
#[test]
fn junit_is_understood() {
    if !skip::has_python_module("junit_is_understood", "junitparser", "python3-junitparser") {
        return;
    }
    for (profile, expected) in [
        (
            "stray.json",
            "no system call <while> polling [('Failure', 'breach')]",
        ),
        (
            "lossy.json",
            "no system call <while> polling [('Error', 'inconclusive')]",
        ),
        ("quiet.json", "no system call <while> polling []"),
    ] {
        let written = check(&[profile, "--budget", "budget.toml", "--format", "junit"]);
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), &written.stdout).expect("written");
        let read = Command::new(skip::PYTHON)
            .args(["-c", READER])
            .stdin(file.reopen().expect("readable"))
            .output()
            .expect("python starts");
        let errors = String::from_utf8_lossy(&read.stderr);
        assert!(read.status.success(), "{errors}");
        let names = String::from_utf8_lossy(&read.stdout);
        assert!(names.lines().any(|line| line == expected), "{names}");
    }
}

/// The document that `--save` saves is the one that `--format json` prints.
#[test]
fn the_result_can_be_saved() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("result.json");
    let shown = path.to_str().expect("UTF-8");
    let arguments = [
        "stray.json",
        "--budget",
        "budget.toml",
        "--format",
        "json",
        "--save",
        shown,
    ];
    let output = check(&arguments);
    assert_eq!(output.status.code(), Some(BREACHED));
    let saved = std::fs::read_to_string(&path).expect("it was saved");
    assert_eq!(saved, stdout(&output));
    let unwritable = [
        "stray.json",
        "--budget",
        "budget.toml",
        "--save",
        "/no/such/folder/x",
    ];
    assert_fails(&check(&unwritable), 6, &["/no/such/folder/x"]);
}
