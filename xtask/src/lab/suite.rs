//! The test suite in guests: on which machines and with which backends, built here, run
//! there.

use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use fs_err as fs;

use super::{guest::IN_GUEST, kernels::Wanted, machine::Machine, script::Script};
use crate::test::{Binary, Outcome};

/// All that `modeswitch run --backend` takes.
const BACKENDS: [&str; 7] = [
    "auto",
    "tracepoint",
    "fentry",
    "fentry-prepare",
    "kprobe",
    "kprobe-fpregs",
    "audit",
];
/// Beside `auto`, the backends of kernels since 6.8.
const NEWER_BACKENDS: [&str; 3] = ["tracepoint", "kprobe", "audit"];
/// Up to 6.7 there is another function to hook.
const OLDER_BACKENDS: [&str; 4] = ["tracepoint", "kprobe", "audit", "fentry-prepare"];
/// Modules of the suite with programs of known counts.
const KNOWN_COUNTS: &[&str] = &["root_counts", "root_causes", "root_interrupts"];

/// These, and what else stands or falls with the kernel rather than with our code.
const OF_THE_KERNEL: &[&str] = &[
    "root_advice",
    "root_causes",
    "root_classic",
    "root_counts",
    "root_faults",
    "root_interruption",
    "root_interrupts",
    "root_lives",
    "root_losses",
    "root_memory",
    "root_perf",
    "root_polled",
    "root_polling",
];

/// The tests, once for one backend.
#[derive(Debug, Clone)]
pub(super) struct Round {
    pub(super) backend: String,
    /// Only tests in these modules; empty stands for all.
    pub(super) modules: &'static [&'static str],
}

/// One kind of machine.
#[derive(Debug, Clone)]
pub(super) struct Scenario {
    /// Empty for the plain machine.
    pub(super) name: &'static str,
    pub(super) kernels: Vec<Wanted>,
    pub(super) machine: Machine,
    pub(super) rounds: Vec<Round>,
}

/// The rounds that a list of backends such as `auto,kprobe` stands for.
pub(super) fn rounds(backends: &str) -> Result<Vec<Round>> {
    let names: Vec<&str> = match backends {
        // The other hooks are not on every kernel.
        "all" => vec!["tracepoint", "fentry", "kprobe", "audit"],
        list => list.split(',').map(str::trim).collect(),
    };
    names
        .into_iter()
        .map(|name| {
            if !BACKENDS.contains(&name) {
                bail!("no backend `{name}`: there are {}", BACKENDS.join(", "));
            }
            Ok(round(name, &[]))
        })
        .collect()
}

fn round(backend: &str, modules: &'static [&'static str]) -> Round {
    Round {
        backend: backend.to_owned(),
        modules,
    }
}

fn scenario(
    name: &'static str,
    kernels: &str,
    machine: Machine,
    rounds: Vec<Round>,
) -> Result<Scenario> {
    Ok(Scenario {
        name,
        kernels: Wanted::list(kernels)?,
        machine,
        rounds,
    })
}

/// The rounds of a kernel: `auto` with the tests in some modules, the backends with those
/// of known counts. fentry is what these kernels' `auto` is.
fn rounds_of(auto: &'static [&'static str], backends: &[&str]) -> Vec<Round> {
    let known = backends.iter().map(|backend| round(backend, KNOWN_COUNTS));
    std::iter::once(round("auto", auto)).chain(known).collect()
}

/// The known counts alone, with each backend on each promised kernel, so many times.
pub(super) fn known(plain: &Machine, times: usize) -> Result<Vec<Scenario>> {
    let older = rounds_of(KNOWN_COUNTS, &OLDER_BACKENDS);
    let newer = rounds_of(KNOWN_COUNTS, &NEWER_BACKENDS);
    let once = [
        scenario("", "5.10,6.1", plain.clone(), older)?,
        scenario("", "6.12,newest", plain.clone(), newer)?,
    ];
    Ok(vec![once; times].concat())
}

/// What has to hold before a change goes in. `plain` is the usual machine.
pub(super) fn all(plain: &Machine) -> Result<Vec<Scenario>> {
    let with = |cpus, arguments: &str| Machine {
        cpus,
        append: format!("{} {arguments}", plain.append),
        ..plain.clone()
    };
    let rounds = |backends| rounds_of(OF_THE_KERNEL, backends);
    let losses = |backend| round(backend, &["root_losses", "root_lives"]);
    let flat = |backend| round(backend, &["root_flatline"]);
    Ok(vec![
        scenario("", "5.10,6.1", plain.clone(), rounds(&OLDER_BACKENDS))?,
        // Its neighbours have the rounds with kprobes and with the audit.
        scenario("", "6.12", plain.clone(), rounds(&["tracepoint"]))?,
        scenario("", "newest", plain.clone(), rounds(&NEWER_BACKENDS))?,
        scenario(
            "preempt=full, x32 calls",
            "6.1,newest",
            with(plain.cpus, "preempt=full syscall.x32=y"),
            vec![losses("auto"), losses("tracepoint")],
        )?,
        scenario(
            "no poll queues",
            "5.10",
            with(plain.cpus, "lab.poll_queues=0"),
            // Whether a program can be stopped and changed has nothing to do with the
            // drive: this kernel is booted anyway. CI's own is a new one.
            vec![round("auto", &["root_fallback", "root_injection"])],
        )?,
        scenario(
            "no poll queues",
            "newest",
            with(plain.cpus, "lab.poll_queues=0"),
            vec![round("auto", &["root_fallback"])],
        )?,
        scenario(
            "two NUMA nodes",
            "6.1,newest",
            Machine {
                numa: true,
                cpus: 4,
                ..plain.clone()
            },
            vec![
                round("auto", &["root_numa", "root_fixes_reach_the_command"]),
                round("tracepoint", &["root_numa"]),
            ],
        )?,
        scenario(
            "nohz_full",
            "6.1",
            with(
                4,
                "isolcpus=nohz,domain,managed_irq,2,3 nohz_full=2,3 rcu_nocbs=2,3",
            ),
            vec![flat("auto"), flat("tracepoint")],
        )?,
    ])
}

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

    #[test]
    fn backends_are_read_and_nonsense_is_refused() {
        assert_eq!(rounds("all").unwrap().len(), 4);
        let names: Vec<String> = rounds("kprobe, auto")
            .unwrap()
            .into_iter()
            .map(|round| round.backend)
            .collect();
        assert_eq!(names, ["kprobe", "auto"]);
        assert!(rounds("kprobe,").is_err());
    }

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
