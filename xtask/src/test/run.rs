//! Running a test binary and reading what it reports, one JSON object for each test.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result};
use modeswitch_object::process;
use serde::Deserialize;

use super::outcome::{KnownCount, Outcome};

/// Lets the test harness of a stable compiler report in JSON.
pub(super) const JSON_VARIABLE: (&str, &str) = ("RUSTC_BOOTSTRAP", "1");
pub(super) const JSON_OPTIONS: [&str; 5] = [
    "--exact",
    "--show-output",
    "-Zunstable-options",
    "--format",
    "json",
];

/// What the harness says, as far as it matters.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Report {
    Test(Test),
    /// Sums, which we make ourselves, and what nobody has measured.
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct Test {
    name: String,
    event: Event,
    #[serde(default)]
    stdout: String,
    /// Why it is ignored, or how it failed.
    message: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Event {
    Started,
    Ok,
    Failed,
    Ignored,
    Timeout,
}

/// Runs a test binary, shows what becomes of its tests, and adds it to `outcome`.
pub(super) fn run(command: &mut Command, name: &str, outcome: &mut Outcome) -> Result<()> {
    println!("-- {name}");
    let described = process::describe(command);
    let context = || format!("cannot run `{described}`");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(context)?;
    let stdout = child.stdout.take().with_context(context)?;
    let before = outcome.failed.len();
    let mut running = Vec::new();
    for line in BufReader::new(stdout).split(b'\n') {
        let line = line.with_context(context)?;
        let line = String::from_utf8_lossy(&line);
        if let Some(shown) = read(&line, name, &mut running, outcome) {
            println!("{shown}");
        }
    }
    let status = child.wait().with_context(context)?;
    for test in running {
        outcome
            .failed
            .push(format!("{name}: {test}: it did not come to an end"));
    }
    if !status.success() && outcome.failed.len() == before {
        outcome.failed.push(format!("{name}: ended with {status}"));
    }
    Ok(())
}

/// Takes one line, and returns what of it is for the developer's eyes.
fn read(
    line: &str,
    binary: &str,
    running: &mut Vec<String>,
    outcome: &mut Outcome,
) -> Option<String> {
    // What a test's children print does not always end with a line.
    let start = line.find("{ \"type\": ").unwrap_or(line.len());
    let (printed, report) = line.split_at(start);
    let test = match serde_json::from_str(report) {
        Ok(Report::Test(test)) => test,
        Ok(Report::Other) => return Some(printed.to_owned()).filter(|text| !text.is_empty()),
        Err(_) => return Some(line.to_owned()).filter(|text| !text.is_empty()),
    };
    let Test {
        name,
        event,
        stdout,
        message,
    } = test;
    if event == Event::Started {
        running.push(name);
        return None;
    }
    if event == Event::Timeout {
        return Some(format!("test {name} has been running for a minute"));
    }
    running.retain(|test| *test != name);
    let is_skipped = take_notes(&stdout, outcome);
    let word = match event {
        Event::Ok if is_skipped => "skipped",
        Event::Ok => {
            outcome.passed += 1;
            "ok"
        }
        Event::Ignored => {
            outcome.skip(&name, message.as_deref().unwrap_or("ignored"));
            "ignored"
        }
        Event::Failed | Event::Started | Event::Timeout => {
            outcome.failed.push(format!("{binary}: {name}"));
            "FAILED"
        }
    };
    let mut shown = format!("{printed}test {name} ... {word}");
    if event == Event::Failed {
        shown.extend(["\n", &stdout, message.as_deref().unwrap_or_default()]);
    }
    Some(shown.trim_end().to_owned())
}

/// What the suite's support code prints for us: skips, the packages that would avoid
/// them, and known counts. Returns whether the test, or a part of it, is skipped.
fn take_notes(stdout: &str, outcome: &mut Outcome) -> bool {
    let mut is_skipped = false;
    for line in stdout.lines() {
        if let Some((name, reason)) = line
            .strip_prefix("SKIPPED ")
            .and_then(|rest| rest.split_once(": "))
        {
            outcome.skip(name, reason);
            is_skipped = true;
        } else if let Some(package) = line.strip_prefix("NEEDS ") {
            outcome.needed.insert(package.to_owned());
        } else if let Some(known) = KnownCount::parse(line) {
            outcome.known.push(known);
        }
    }
    is_skipped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(text: &str) -> (Outcome, Vec<String>, String) {
        let mut outcome = Outcome::default();
        let mut running = Vec::new();
        let lines = text.lines();
        let shown = lines.filter_map(|line| read(line, "suite", &mut running, &mut outcome));
        let shown = shown.collect::<Vec<_>>().join("\n");
        (outcome, running, shown)
    }

    /// A skip is told from a pass though the harness takes it for one, once, however often
    /// the test says so.
    #[test]
    fn skips_are_found_in_the_output_of_passing_tests() {
        let (outcome, running, shown) = read_all(
            r#"{ "type": "suite", "event": "started", "test_count": 3 }
{ "type": "test", "event": "started", "name": "a" }
{ "type": "test", "name": "a", "event": "ok", "stdout": "hello\n" }
{ "type": "test", "event": "started", "name": "live::root_b" }
{ "type": "test", "name": "live::root_b", "event": "ok", "stdout": "SKIPPED root_b: needs zsh\nNEEDS zsh\nSKIPPED root_b: needs fish\nNEEDS fish\n" }
{ "type": "test", "event": "ignored", "name": "c", "message": "takes an hour" }
{ "type": "suite", "event": "ok", "passed": 2, "failed": 0, "ignored": 1 }"#,
        );
        let mut expected = Outcome::default();
        expected.passed += 1;
        expected.skip("root_b", "needs zsh; needs fish");
        expected.skip("c", "takes an hour");
        expected.needed.insert("fish".to_owned());
        expected.needed.insert("zsh".to_owned());
        assert_eq!(outcome, expected);
        assert!(running.is_empty());
        assert_eq!(
            shown,
            "test a ... ok\ntest live::root_b ... skipped\ntest c ... ignored"
        );
    }

    /// Failures are named, and what the tests printed is shown, with what their children
    /// did.
    #[test]
    fn failures_are_named_and_shown() {
        let (outcome, _, shown) = read_all(
            r#"{ "type": "test", "event": "started", "name": "b" }
no new line{ "type": "test", "name": "b", "event": "failed", "stdout": "KNOWN {\"name\":\"x\",\"counted\":2}\nleft: 1\n" }"#,
        );
        assert_eq!(outcome.failed.len(), 1);
        assert_eq!(outcome.known[0].counted, Some(2));
        assert!(
            shown.starts_with("no new linetest b ... FAILED\n"),
            "{shown}"
        );
        assert!(shown.ends_with("left: 1"), "{shown}");
    }

    /// A binary that dies leaves the test that it was at.
    #[test]
    fn a_dead_binary_passes_nothing() {
        let started = r#"{ "type": "test", "event": "started", "name": "a" }"#;
        let (outcome, running, _) = read_all(started);
        assert_eq!(outcome, Outcome::default());
        assert_eq!(running, ["a"]);
    }
}
