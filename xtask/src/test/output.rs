//! Running a test binary and reading what it prints.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use super::known::KnownCount;
use super::outcome::Outcome;
use crate::ebpf_object::process;

/// Runs a test binary, passes on its output, and adds what it says to `outcome`.
pub(super) fn run(command: &mut Command, name: &str, outcome: &mut Outcome) -> Result<()> {
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
    let failures = reader.finish(name, outcome);
    if !status.success() && failures == 0 {
        outcome.fail(format!("{name}: ended with {status}"));
    }
    Ok(())
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
    skipped: Vec<Skip>,
    needed: Vec<String>,
    known: Vec<KnownCount>,
    section: Section,
}

#[derive(Debug)]
struct Skip {
    test: String,
    reason: String,
    /// Whether the harness takes it for a test that has passed.
    passed: bool,
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
            self.skip(name, reason, self.section == Section::Successes);
            return Show::No;
        }
        if let Some(package) = line.strip_prefix("NEEDS ") {
            self.needed.push(package.to_owned());
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
                    self.skip(name, reason, false);
                }
            }
        }
        if line.is_empty() { Show::No } else { Show::Yes }
    }

    fn skip(&mut self, test: &str, reason: &str, passed: bool) {
        self.skipped.push(Skip {
            test: test.to_owned(),
            reason: reason.to_owned(),
            passed,
        });
    }

    /// Adds everything up; returns how many tests failed.
    fn finish(self, binary: &str, outcome: &mut Outcome) -> usize {
        let Self {
            passed,
            failed,
            skipped,
            needed,
            known,
            section: _,
        } = self;
        for count in known {
            outcome.know(count);
        }
        // A test may say several times that it, or a part of it, is skipped.
        let passed_over: BTreeSet<&str> = skipped
            .iter()
            .filter(|skip| skip.passed)
            .map(|skip| skip.test.as_str())
            .collect();
        outcome.pass(passed.saturating_sub(passed_over.len()));
        for skip in &skipped {
            outcome.skip(&skip.test, &skip.reason);
        }
        for package in &needed {
            outcome.need(package);
        }
        for test in &failed {
            outcome.fail(format!("{binary}: {test}"));
        }
        failed.len()
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

    fn read(text: &str) -> (Outcome, usize, String) {
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

    /// What a test skips is taken from the passed tests once, however often it says so,
    /// and not at all if it has failed.
    #[test]
    fn a_test_that_skips_several_times_is_one() {
        let (outcome, _, _) = read(
            "running 4 tests\ntest a ... ok\ntest b ... ok\ntest c ... ok\ntest d ... FAILED\n\n\
             successes:\n\n---- b stdout ----\nSKIPPED b: needs zsh\nNEEDS zsh\n\
             SKIPPED b: needs fish\nNEEDS fish\n\nsuccesses:\n    a\n    b\n    c\n\n\
             failures:\n\n---- d stdout ----\nSKIPPED d: one kind of it\n\nfailures:\n    d\n\n\
             test result: FAILED. 3 passed; 1 failed; 0 ignored\n",
        );
        let mut expected = Outcome::default();
        expected.pass(2);
        expected.fail("suite: d");
        expected.skip("b", "needs zsh; needs fish");
        expected.skip("d", "one kind of it");
        for package in ["fish", "zsh"] {
            expected.need(package);
        }
        assert_eq!(outcome, expected);
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
        assert_eq!(failed, 1);
        assert!(shown.contains("panicked at"), "{shown}");
    }

    /// A binary that dies prints no result: nothing counts as passed.
    #[test]
    fn a_dead_binary_passes_nothing() {
        let (outcome, failed, _) = read("running 2 tests\ntest a ... ok\n");
        assert_eq!(outcome, Outcome::default());
        assert_eq!(failed, 0);
    }
}
