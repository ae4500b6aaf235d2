//! Reading profiles as a script would: by the names in the JSON document.

use std::{cell::Cell, path::Path, process::Output};

use serde_json::Value;

use super::{command, evidence, known, targets};

/// A profile as JSON.
pub(crate) struct Json(pub(crate) Value, Cell<u64>);

/// A document that was read elsewhere.
impl From<Value> for Json {
    fn from(value: Value) -> Self {
        Self(value, Cell::new(0))
    }
}

/// Measures the known-count program. `options` go to modeswitch.
#[track_caller]
pub(crate) fn counts(options: &[&str], arguments: &[&str]) -> Json {
    measure(options, targets::counts(), arguments)
}

/// Measures the program that enters in the less usual ways.
#[track_caller]
pub(crate) fn causes(options: &[&str], arguments: &[&str]) -> Json {
    measure(options, targets::causes(), arguments)
}

/// Measures the program of threads and processes that come and go.
#[track_caller]
pub(crate) fn lives(options: &[&str], arguments: &[&str]) -> Json {
    measure(options, targets::lives(), arguments)
}

/// Measures the program of known page faults.
#[track_caller]
pub(crate) fn faults(options: &[&str], arguments: &[&str]) -> Json {
    measure(options, targets::faults(), arguments)
}

/// The same, with a file to which the program writes what the kernel has counted
/// of its faults in steady state.
#[track_caller]
pub(crate) fn faults_witnessed(options: &[&str], arguments: &[&str], witness: &Path) -> Json {
    let variable = [("FAULTS_WITNESS", witness)];
    measure_with(&variable, options, targets::faults(), arguments)
}

/// Measures another program.
#[track_caller]
pub(crate) fn measure(options: &[&str], target: &Path, arguments: &[&str]) -> Json {
    measure_with(&[], options, target, arguments)
}

#[track_caller]
fn measure_with(
    environment: &[(&str, &Path)],
    options: &[&str],
    target: &Path,
    arguments: &[&str],
) -> Json {
    let mut command = command::measuring("run");
    command.args(["--format", "json"]).args(options);
    // What is measured may fail on purpose.
    command.arg("--no-propagate-exit");
    // Maps of full size take an emulated processor seconds to set up.
    for (option, enough) in [("--ledger-rows", "16384"), ("--fault-pages", "32768")] {
        if !options.contains(&option) {
            command.args([option, enough]);
        }
    }
    command.envs(environment.iter().copied());
    command.arg("--").arg(target).args(arguments);
    from_output(&command.output().expect("the binary starts"))
}

/// The document that a successful run printed.
#[track_caller]
pub(crate) fn from_output(output: &Output) -> Json {
    evidence::note_output(output);
    assert!(output.status.success(), "{}", command::stderr(output));
    let value: Value =
        serde_json::from_slice(&output.stdout).expect("one JSON document on standard output");
    value.into()
}

/// The document in a file.
#[track_caller]
pub(crate) fn from_file(path: &Path) -> Json {
    let text = std::fs::read(path).expect("the file was written");
    evidence::note("file.json", text.as_slice());
    let value: Value = serde_json::from_slice(&text).expect("one JSON document in the file");
    value.into()
}

/// Whether a program on a tracepoint counts entries of a cause.
fn counts_cause(program: &str, cause: &str) -> bool {
    match cause {
        "syscall" | "new_task" => program.starts_with("sys_"),
        "page_fault" => program == "page_fault_user",
        "interrupt" => program.ends_with("_entry"),
        "nmi" => program == "nmi_handler",
        _ => false,
    }
}

/// Whether a program counts returns, of whatever cause.
fn is_exit(program: &str) -> bool {
    program.starts_with("exit_")
}

impl Json {
    /// Whether tracepoints told the causes: they see which device interrupted.
    pub(crate) fn sees_details(&self) -> bool {
        self.0["backend"]["name"] == "tracepoint" || self.0["backend"]["name"] == "audit"
    }

    /// Whether returns were watched: they show exceptions that raise no signal.
    pub(crate) fn sees_exceptions(&self) -> bool {
        self.0["backend"]["name"] != "tracepoint"
    }

    /// Events that the kernel did not show to one program or another.
    pub(crate) fn missed(&self) -> u64 {
        self.missed_by(|_| true)
    }

    /// Events that it did not show to the programs that count a cause.
    pub(crate) fn missed_of(&self, cause: &str) -> u64 {
        let exits = self.0["backend"]["probe"].is_string();
        self.missed_by(|program| counts_cause(program, cause) || exits && is_exit(program))
    }

    fn missed_by(&self, is_meant: impl Fn(&str) -> bool) -> u64 {
        let misses = self.0["accounting"]["misses"].as_array();
        let meant = misses.expect("a list").iter();
        let meant = meant.filter(|miss| is_meant(miss["program"].as_str().expect("a name")));
        meant.filter_map(|miss| miss["count"].as_u64()).sum()
    }

    /// Takes missing entries out of those that are said to be missed. Whether there
    /// were as many: what excuses one count does not excuse the next.
    pub(crate) fn excuse(&self, missing: u64, missed: u64) -> bool {
        self.1.set(self.1.get() + missing);
        missing == 0 || self.1.get() <= missed
    }

    /// Whether the document says that something cannot be told.
    pub(crate) fn says_unavailable(&self, what: &str) -> bool {
        let list = self.0["accounting"]["unavailable"].as_array();
        let mut names = list.expect("a list").iter();
        names.any(|item| {
            item["what"]
                .as_str()
                .is_some_and(|name| name.starts_with(what))
        })
    }

    fn rows(&self) -> &[Value] {
        self.0["ledger"]["by_cause"]
            .as_array()
            .expect("by_cause is a list")
    }

    /// Entries of a cause and detail in the whole run.
    pub(crate) fn count(&self, cause: &str, detail: &str) -> u64 {
        let rows = self.rows().iter();
        rows.filter(|row| row["cause"] == cause && row["detail"] == detail)
            .map(|row| row["count"].as_u64().expect("a count"))
            .sum()
    }

    /// Entries of a cause, any detail, in one phase.
    pub(crate) fn of_cause_in(&self, cause: &str, phase: &str) -> u64 {
        let rows = self.rows().iter();
        rows.filter(|row| row["cause"] == cause)
            .map(|row| row["phases"][phase].as_u64().unwrap_or(0))
            .sum()
    }

    /// Entries of a cause and detail in one phase.
    pub(crate) fn count_in(&self, cause: &str, detail: &str, phase: &str) -> u64 {
        let rows = self.rows().iter();
        rows.filter(|row| row["cause"] == cause && row["detail"] == detail)
            .map(|row| row["phases"][phase].as_u64().unwrap_or(0))
            .sum()
    }

    /// Entries of a cause whose details have such names.
    pub(crate) fn of_cause_named(&self, cause: &str, is_it: impl Fn(&str) -> bool) -> u64 {
        let rows = self.rows().iter();
        rows.filter(|row| row["cause"] == cause && row["detail"].as_str().is_some_and(&is_it))
            .map(|row| row["count"].as_u64().expect("a count"))
            .sum()
    }

    /// Entries of a cause in the whole run.
    pub(crate) fn of_cause(&self, cause: &str) -> u64 {
        let rows = self.rows().iter();
        rows.filter(|row| row["cause"] == cause)
            .map(|row| row["count"].as_u64().expect("a count"))
            .sum()
    }

    /// Asserts that nothing was lost, that no check failed, and that both sides
    /// of an audit agree; but for what the kernel passed over and said so.
    #[track_caller]
    pub(crate) fn assert_accounted(&self) {
        let accounting = &self.0["accounting"];
        for (reason, lost) in accounting["losses"]
            .as_object()
            .expect("losses is an object")
        {
            assert_eq!(lost.as_u64(), Some(0), "{reason}");
        }
        assert_eq!(accounting["unclassified"], 0);
        for check in accounting["cross_checks"].as_array().expect("a list") {
            assert_ne!(check["verdict"], "inconsistent", "{check}");
        }
        let audit = &accounting["audit"];
        if let Some(difference) = audit["difference"].as_i64() {
            // Who has counted less has been passed over that often, or more.
            let missed = self.missed_by(|program| is_exit(program) == (difference < 0));
            assert!(
                difference.unsigned_abs() <= missed,
                "{audit}, {missed} missed"
            );
        }
    }

    /// Asserts a count in steady state as [`known::assert_known`] does, that it
    /// is nowhere else, and that it is all there is of its cause in steady state.
    #[track_caller]
    pub(crate) fn assert_only(&self, name: &str, cause: &str, detail: &str, expected: u64) {
        self.assert_accounted();
        let counted = self.count_in(cause, detail, "steady");
        known::assert_known_of(cause, self, name, expected, counted);
        let all = self.of_cause_in(cause, "steady");
        assert_eq!(all, counted, "other {cause} in steady state");
    }
}
