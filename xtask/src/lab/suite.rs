//! The test suite in a guest: built here, run there.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::guest::{IN_GUEST, Script};
use crate::test::{Binary, Outcome};

/// All that `modeswitch run --backend` takes.
const BACKENDS: [&str; 5] = ["auto", "tracepoint", "fentry", "kprobe", "audit"];
/// The suite's support code adds this to the commands that it tests.
const BACKEND_VARIABLE: &str = "MODESWITCH_TEST_BACKEND";

/// The suite, once for each of some backends.
#[derive(Debug)]
pub(super) struct Suite {
    backends: Vec<String>,
}

/// The result with one backend.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) backend: String,
    /// Nothing if it did not come to an end.
    outcome: Option<Outcome>,
}

impl Suite {
    /// Adds what runs them to the script.
    pub(super) fn prepare(
        backends: &str,
        binaries: &[Binary],
        script: &mut Script,
    ) -> Result<Self> {
        let backends = parse(backends)?;
        let list = serde_json::to_string(binaries).context("cannot describe the tests")?;
        let program = env::current_exe().context("cannot find this program")?;
        for backend in &backends {
            let mut command: Vec<OsString> = vec!["env".into()];
            command.push(format!("{BACKEND_VARIABLE}={backend}").into());
            command.push(program.clone().into());
            command.extend(["test", "--root-only", "--prebuilt"].map(OsString::from));
            command.push(list.clone().into());
            command.push("--record".into());
            command.push(format!("{IN_GUEST}/results/{}", file(backend)).into());
            script.commands.push(command);
        }
        Ok(Self { backends })
    }

    /// What the guest has noted.
    pub(super) fn tallies(&self, results: &Path) -> Vec<Tally> {
        let read = |backend: &String| Tally {
            backend: backend.clone(),
            outcome: fs::read(results.join(file(backend)))
                .ok()
                .and_then(|text| serde_json::from_slice(&text).ok()),
        };
        self.backends.iter().map(read).collect()
    }
}

fn file(backend: &str) -> String {
    format!("suite-{backend}.json")
}

fn parse(list: &str) -> Result<Vec<String>> {
    if list == "all" {
        return Ok(BACKENDS.map(str::to_owned).to_vec());
    }
    let names = list.split(',').map(str::trim);
    names
        .map(|name| {
            if !BACKENDS.contains(&name) {
                bail!("no backend `{name}`: there are {}", BACKENDS.join(", "));
            }
            Ok(name.to_owned())
        })
        .collect()
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

    #[test]
    fn backends_are_read_and_nonsense_is_refused() {
        assert_eq!(parse("all").unwrap().len(), BACKENDS.len());
        assert_eq!(parse("kprobe, auto").unwrap(), ["kprobe", "auto"]);
        assert!(parse("kprobe,").is_err());
    }

    /// A guest that was lost leaves no file, or half of one.
    #[test]
    fn an_unfinished_suite_is_no_success() {
        let suite = Suite {
            backends: vec!["auto".to_owned()],
        };
        let folder = tempfile::tempdir().unwrap();
        let shown = |suite: &Suite| suite.tallies(folder.path())[0].to_string();
        assert_eq!(shown(&suite), "did not finish");
        fs::write(folder.path().join("suite-auto.json"), "{\"passed\":").unwrap();
        assert_eq!(shown(&suite), "did not finish");
    }
}
