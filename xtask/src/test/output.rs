//! Running a test binary and reading what it prints.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use super::known::KnownCount;
use super::outcome::Outcome;
use crate::ebpf_object::process;

/// Runs a test binary, passes on its output, and adds what it says to `outcome`.
/// Returns the tests that failed.
pub(super) fn run(command: &mut Command, name: &str, outcome: &mut Outcome) -> Result<Vec<String>> {
    println!("-- {name}");
    let described = process::describe(command);
    let context = || format!("cannot run `{described}`");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(context)?;
    let mut reader = Reader::default();
    let stdout = child.stdout.take().with_context(context)?;
    for line in BufReader::new(stdout).split(b'\n') {
        let line = line.with_context(context)?;
        let line = String::from_utf8_lossy(&line);
        if reader.read(&line) == Show::Yes {
            println!("{line}");
        }
    }
    let status = child.wait().with_context(context)?;
    let failed = reader.finish(name, outcome);
    if !status.success() && failed.is_empty() {
        outcome.fail(format!("{name}: ended with {status}"));
    }
    Ok(failed)
}

/// What a test of a binary is called in an outcome.
pub(super) fn named(binary: &str, test: &str) -> String {
    format!("{binary}: {test}")
}

/// Whether a line is for the developer's eyes.
#[derive(Debug, PartialEq, Eq)]
enum Show {
    Yes,
    No,
}

/// Understands the lines that Rust's test harness prints.
#[derive(Debug, Default)]
struct Reader {
    passed: usize,
    failed: Vec<String>,
    skipped: Vec<(String, String)>,
    known: Vec<KnownCount>,
    section: Section,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Section {
    #[default]
    Tests,
    /// What passing tests printed, which only matters for the skips in it.
    Successes,
    /// What failing tests printed.
    Failures,
    /// Their names, under the same heading.
    FailureNames,
}

impl Reader {
    fn read(&mut self, line: &str) -> Show {
        if let Some((name, reason)) = skip_notice(line) {
            self.skipped.push((name.to_owned(), reason.to_owned()));
            return Show::No;
        }
        if let Some(known) = KnownCount::parse(line) {
            self.known.push(known);
            return Show::No;
        }
        if let Some(counts) = line.strip_prefix("test result: ") {
            self.section = Section::Tests;
            self.passed += passed_count(counts).unwrap_or(0);
            return Show::Yes;
        }
        match line {
            "successes:" => self.section = Section::Successes,
            "failures:" if self.section == Section::Failures => {
                self.section = Section::FailureNames;
            }
            "failures:" => self.section = Section::Failures,
            _ => {}
        }
        match self.section {
            Section::Successes => return Show::No,
            Section::FailureNames => {
                let name = line.strip_prefix("    ");
                self.failed.extend(name.map(str::to_owned));
            }
            Section::Failures => {}
            Section::Tests => {
                if let Some((name, reason)) = ignored(line) {
                    self.skipped.push((name.to_owned(), reason.to_owned()));
                }
            }
        }
        if line.is_empty() { Show::No } else { Show::Yes }
    }

    /// Adds everything up; returns the tests that failed.
    fn finish(self, binary: &str, outcome: &mut Outcome) -> Vec<String> {
        let Self {
            passed,
            failed,
            skipped,
            known,
            section: _,
        } = self;
        for count in known {
            outcome.know(count);
        }
        // To the harness, a test that skipped itself is one that passed.
        let by_themselves = skipped.iter().filter(|(_, reason)| !is_ignored(reason));
        outcome.pass(passed.saturating_sub(by_themselves.count()));
        for (name, reason) in &skipped {
            outcome.skip(name, reason);
        }
        for test in &failed {
            outcome.fail(named(binary, test));
        }
        failed
    }
}

/// `SKIPPED name: reason`, printed by the helper that privileged tests call.
fn skip_notice(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("SKIPPED ")?.split_once(": ")
}

/// `test name ... ignored` or `test name ... ignored, reason`.
fn ignored(line: &str) -> Option<(&str, &str)> {
    let (name, result) = line.strip_prefix("test ")?.split_once(" ... ")?;
    is_ignored(result).then_some((name, result))
}

fn is_ignored(result: &str) -> bool {
    result
        .strip_prefix("ignored")
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(", "))
}

/// `12` out of `ok. 12 passed; 0 failed; …`.
fn passed_count(counts: &str) -> Option<usize> {
    let (before, _) = counts.split_once(" passed")?;
    before.rsplit(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Outcome, Vec<String>, String) {
        let mut reader = Reader::default();
        let shown = text.lines().filter(|line| reader.read(line) == Show::Yes);
        let shown = shown.collect::<Vec<_>>().join("\n");
        let mut outcome = Outcome::default();
        let failed = reader.finish("suite", &mut outcome);
        (outcome, failed, shown)
    }

    /// A skip is told from a pass though the harness takes it for one.
    #[test]
    fn skips_are_found_in_the_output_of_passing_tests() {
        let (outcome, _, shown) = read(
            "\nrunning 3 tests\ntest a ... ok\ntest live::root_b ... ok\n\
             test c ... ignored, takes an hour\n\nsuccesses:\n\n\
             ---- live::root_b stdout ----\nSKIPPED root_b: not root: no CAP_BPF\n\n\n\
             successes:\n    a\n    live::root_b\n\n\
             test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n",
        );
        let mut expected = Outcome::default();
        expected.pass(1);
        expected.skip("root_b", "not root: no CAP_BPF");
        expected.skip("c", "ignored, takes an hour");
        assert_eq!(outcome, expected);
        assert!(!shown.contains("successes"), "{shown}");
        assert!(shown.contains("2 passed"), "{shown}");
    }

    /// Known counts are kept, whether their test passes or fails.
    #[test]
    fn known_counts_are_kept() {
        let (outcome, _, shown) = read(
            "running 2 tests\ntest a ... ok\ntest b ... FAILED\n\nsuccesses:\n\n---- a stdout ----\n\
             KNOWN {\"name\":\"x\",\"expected\":1,\"counted\":1}\n\nfailures:\n\n---- b stdout ----\n\
             KNOWN {\"name\":\"y\",\"expected\":1,\"counted\":2}\n\nfailures:\n    b\n",
        );
        let names: Vec<&str> = outcome.known().iter().map(|known| &*known.name).collect();
        assert_eq!(names, ["x", "y"]);
        assert!(!shown.contains("KNOWN"), "{shown}");
    }

    /// Failures are named, and what the tests printed is shown.
    #[test]
    fn failures_are_named_and_shown() {
        let (outcome, failed, shown) = read(
            "running 2 tests\ntest a ... ok\ntest b ... FAILED\n\nsuccesses:\n\nsuccesses:\n    a\n\n\
             failures:\n\n---- b stdout ----\nthread 'b' panicked at x.rs:1:\n    left: 1\n\n\n\
             failures:\n    b\n\ntest result: FAILED. 1 passed; 1 failed; 0 ignored\n",
        );
        let mut expected = Outcome::default();
        expected.pass(1);
        expected.fail("suite: b");
        assert_eq!(outcome, expected);
        assert_eq!(failed, ["b"]);
        assert!(shown.contains("panicked at"), "{shown}");
    }

    /// A binary that dies prints no result: nothing counts as passed.
    #[test]
    fn a_dead_binary_passes_nothing() {
        let (outcome, failed, _) = read("running 2 tests\ntest a ... ok\n");
        assert_eq!(outcome, Outcome::default());
        assert!(failed.is_empty());
    }
}
