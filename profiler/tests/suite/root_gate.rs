//! The gate on real runs: a budget that is made holds, a change that breaks it
//! is named by its line, and a loss is never a pass.

use std::{path::PathBuf, process::Output};

use crate::{
    needs_root,
    support::{
        builds::{build, folder, line},
        command, targets,
    },
};

/// A poller, and the budget that was made of it.
struct Gate {
    poller: PathBuf,
    budget: PathBuf,
}

impl Gate {
    /// Builds the program and makes the budget from real runs.
    #[track_caller]
    fn new(test: &str) -> Self {
        let folder = folder(test);
        let include = format!("-I{}/../include", env!("CARGO_MANIFEST_DIR"));
        let options = ["-O1", "-Wall", "-Werror", &include];
        let gate = Self {
            poller: build("cc", &options, "gate.c", &folder.join("poller")),
            budget: folder.join("budget.toml"),
        };
        let made = gate.check(&["--update", "--runs", "3"], "quiet");
        assert_eq!(made.status.code(), Some(0), "{}", said(&made));
        gate
    }

    fn check(&self, options: &[&str], mode: &str) -> Output {
        let mut command = command::measuring("check");
        command.arg("--budget").arg(&self.budget);
        // Maps of full size take an emulated processor seconds to set up.
        command.args(["--ledger-rows", "16384", "--fault-pages", "32768"]);
        command.args(options);
        command.arg("--").arg(&self.poller).arg(mode);
        command.output().expect("the binary starts")
    }
}

fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout);
    format!("{text}\n{}", command::stderr(output))
}

/// The budget that was made from real runs is kept by the next one, and a stray
/// system call and a lazily touched buffer breach it, each named by its line.
#[test]
fn root_gate_names_the_line() {
    needs_root!("root_gate_names_the_line");
    let gate = Gate::new("root_gate_names_the_line");
    let kept = gate.check(&[], "quiet");
    assert_eq!(kept.status.code(), Some(0), "{}", said(&kept));
    for (mode, function, limit) in [
        ("stray", "stray_clock", "syscall in steady"),
        ("lazy", "poll_once", "page_fault in steady"),
    ] {
        let broken = gate.check(&[], mode);
        let text = said(&broken);
        assert_eq!(broken.status.code(), Some(1), "{text}");
        assert!(text.contains(&format!("breach: {limit}")), "{text}");
        let place = format!("gate.c:{}", line("gate.c", mode));
        assert!(
            text.lines()
                .any(|line| line.contains(function) && line.contains(&place)),
            "{function} at {place} is not in: {text}"
        );
    }
}

/// A ledger too small for its rows: what passes otherwise cannot be judged, not
/// even by the widest budget, what is above a limit all the same is a breach,
/// and no budget is made of it.
#[test]
fn root_gate_loss_is_inconclusive() {
    needs_root!("root_gate_loss_is_inconclusive");
    let budget = folder("root_gate_loss_is_inconclusive").join("budget.toml");
    let check = |text: &str, options: &[&str]| {
        std::fs::write(&budget, text).expect("a budget");
        let mut command = command::measuring("check");
        command.arg("--budget").arg(&budget).args(options);
        // As many rows as threads, at the least.
        command
            .arg("--")
            .arg(targets::counts())
            .args(["threads", "64", "10"]);
        command.output().expect("the binary starts")
    };
    let wide = "[[limit]]\ncause = 'syscall'\nhard = 1e9\n";
    let (few, enough) = (["--ledger-rows", "4"], ["--ledger-rows", "16384"]);
    let whole = check(wide, &enough);
    assert_eq!(whole.status.code(), Some(0), "{}", said(&whole));
    let lossy = check(wide, &few);
    assert_eq!(lossy.status.code(), Some(4), "{}", said(&lossy));
    assert!(said(&lossy).contains("`--ledger-rows`"), "{}", said(&lossy));
    let certain = check("[[limit]]\ncause = 'total'\nhard = 10\n", &few);
    assert_eq!(certain.status.code(), Some(1), "{}", said(&certain));
    let refused = check(wide, &[&few[..], &["--update", "--runs", "1"]].concat());
    assert_eq!(refused.status.code(), Some(4), "{}", said(&refused));
    assert!(refused.stdout.is_empty(), "nothing was judged");
    let after = std::fs::read_to_string(&budget).expect("the budget");
    assert_eq!(after, wide, "the budget is as it was");
}

/// A command that fails keeps no limit, however little it did.
#[test]
fn root_gate_failure_is_inconclusive() {
    needs_root!("root_gate_failure_is_inconclusive");
    let gate = Gate::new("root_gate_failure_is_inconclusive");
    let mut command = command::measuring("check");
    command.arg("--budget").arg(&gate.budget);
    let output = command.args(["--", "false"]).output().expect("it starts");
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(said(&output).contains("status 1"), "{}", said(&output));
}
