//! The test suite in a guest: built here, run there.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::guest::{IN_GUEST, Script};
use super::scenario::Round;
use crate::test::{Binary, Outcome};

/// The suite's support code adds this to the commands that it tests.
const BACKEND_VARIABLE: &str = "MODESWITCH_TEST_BACKEND";

/// The result of one round.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) backend: String,
    /// Of which tests: see [`Round::modules`].
    pub(super) modules: &'static [&'static str],
    /// Nothing if it did not come to an end.
    pub(super) outcome: Option<Outcome>,
}

/// Copies this program into the folder, for the guests to run. Its own file can be gone:
/// cargo replaces it when a later step of the same command builds the workspace.
pub(super) fn keep_program(folder: &Path) -> Result<PathBuf> {
    let copy = folder.join("xtask");
    fs::copy("/proc/self/exe", &copy)
        .with_context(|| format!("cannot copy this program to {}", copy.display()))?;
    Ok(copy)
}

/// Adds what runs the tests, once for each round, to the script.
pub(super) fn prepare(
    program: &Path,
    rounds: &[Round],
    binaries: &[Binary],
    script: &mut Script,
) -> Result<()> {
    for round in rounds {
        let binaries: Vec<Binary> = if round.modules.is_empty() {
            binaries.to_vec()
        } else {
            let some = binaries.iter().map(|binary| binary.only(round.modules));
            some.collect()
        };
        let list = serde_json::to_string(&binaries).context("cannot describe the tests")?;
        let mut command: Vec<OsString> = vec!["env".into()];
        command.push(format!("{BACKEND_VARIABLE}={}", round.backend).into());
        command.push(program.into());
        command.extend(["test", "--root-only", "--prebuilt"].map(OsString::from));
        command.push(list.into());
        command.push("--record".into());
        command.push(format!("{IN_GUEST}/results/{}", file(&round.backend)).into());
        script.commands.push(command);
    }
    Ok(())
}

/// What the guest has noted.
pub(super) fn tallies(rounds: &[Round], results: &Path) -> Vec<Tally> {
    let read = |round: &Round| Tally {
        backend: round.backend.clone(),
        modules: round.modules,
        outcome: fs::read(results.join(file(&round.backend)))
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok()),
    };
    rounds.iter().map(read).collect()
}

fn file(backend: &str) -> String {
    format!("suite-{backend}.json")
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            Some(outcome) => f.write_str(&outcome.line()),
            None => f.write_str("did not finish"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The guests need a program that outlives this one's file.
    #[test]
    fn the_program_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let copy = keep_program(folder.path()).expect("a copy");
        let own = fs::read(std::env::current_exe().expect("a path")).expect("readable");
        assert_eq!(fs::read(&copy).expect("readable"), own);
        let status = std::process::Command::new(&copy).arg("--list").output();
        assert!(status.expect("runs").status.success());
    }

    /// A guest that was lost leaves no file, or half of one.
    #[test]
    fn an_unfinished_suite_is_no_success() {
        let rounds = [Round {
            backend: "auto".to_owned(),
            modules: &[],
        }];
        let folder = tempfile::tempdir().unwrap();
        let shown = || tallies(&rounds, folder.path())[0].to_string();
        assert_eq!(shown(), "did not finish");
        fs::write(folder.path().join("suite-auto.json"), "{\"passed\":").unwrap();
        assert_eq!(shown(), "did not finish");
    }
}
