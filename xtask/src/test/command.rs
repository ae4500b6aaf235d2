//! The order of things: set-up, unprivileged tests, privileged tests, summary.

use std::{env, path::PathBuf, process::Command};

use anyhow::{Context as _, Result, bail};
use fs_err as fs;

use super::{
    binaries::{self, Binary},
    outcome::Outcome,
    prepare,
    run::{self, JSON_OPTIONS, JSON_VARIABLE},
};
use crate::workspace::{self, RootAccess};

/// Run the tests of the whole workspace: unprivileged ones in parallel, then, as root
/// and one by one, those whose names begin with `root_`
#[derive(Default, clap::Args)]
pub(crate) struct Options {
    /// Only the tests that need root
    #[arg(long, conflicts_with = "no_root")]
    root_only: bool,
    /// Leave out the tests that need root
    #[arg(long)]
    no_root: bool,
    /// Install no packages: skip the tests that lack one
    #[arg(long)]
    no_install: bool,
    /// Build nothing: the binaries as `cargo xtask lab` has found them
    #[arg(long, hide = true, requires = "root_only")]
    prebuilt: Option<String>,
    /// Write the outcome to a file, too
    #[arg(long, hide = true)]
    record: Option<PathBuf>,
    /// Only tests whose names contain this
    filter: Option<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let filter = options.filter.as_deref();
    let access = workspace::root_access();
    // A guest of the lab has what its host has, which is everything.
    let tools = options.prebuilt.is_some() || prepare::packages(access, options.no_install);
    let binaries = if let Some(list) = &options.prebuilt {
        serde_json::from_str(list).context("--prebuilt is no list of binaries")?
    } else {
        prepare::object()?;
        binaries::build(filter, false)?
    };
    let mut outcome = Outcome::default();

    if !options.root_only {
        println!("== unprivileged tests");
        for binary in binaries.iter().filter(|b| !b.plain_tests.is_empty()) {
            unprivileged(binary, tools, &mut outcome)?;
        }
        if filter.is_none() {
            doc_tests(&mut outcome)?;
        }
    }

    let privileged = binaries.iter().filter(|b| !b.root_tests.is_empty());
    if options.no_root {
        for name in privileged.flat_map(|b| &b.root_tests) {
            outcome.skip(name, "it needs root, and --no-root was given");
        }
    } else {
        println!("== tests that need root ({})", describe(access));
        prepare::tracing(access)?;
        for binary in privileged {
            // Never twice: a miscount that happens once in fifty runs is a miscount.
            let mut command = root_command(binary, access, tools);
            run::run(&mut command, &binary.name, &mut outcome)?;
        }
    }

    println!("\n{outcome}");
    if let Some(file) = &options.record {
        let text = serde_json::to_string(&outcome).context("cannot describe the outcome")?;
        fs::write(file, text)?;
    }
    if outcome == Outcome::default() {
        bail!("no test has a name that contains {filter:?}");
    }
    if !outcome.failed.is_empty() {
        bail!("there are failures, named above");
    }
    Ok(())
}

fn describe(access: RootAccess) -> &'static str {
    match access {
        RootAccess::Root => "as root",
        RootAccess::Sudo => "by sudo",
        RootAccess::None => "no root here: each will say what it skips",
    }
}

/// Where all tools are to be had, a test that skips itself for want of one is a failure.
const REQUIRE_TOOLS: &str = "MODESWITCH_REQUIRE_TOOLS";

fn unprivileged(binary: &Binary, tools: bool, outcome: &mut Outcome) -> Result<()> {
    let mut command = Command::new(&binary.executable);
    command.args(JSON_OPTIONS).args(&binary.plain_tests);
    if tools {
        command.env(REQUIRE_TOOLS, "1");
    }
    in_package(&mut command, binary).env(JSON_VARIABLE.0, JSON_VARIABLE.1);
    run::run(&mut command, &binary.name, outcome)
}

/// One at a time: they share the machine's tracing, and count its events.
fn root_command(binary: &Binary, access: RootAccess, tools: bool) -> Command {
    let mut command = match access {
        RootAccess::Root | RootAccess::None => Command::new("env"),
        RootAccess::Sudo => {
            let mut sudo = Command::new("sudo");
            sudo.args(["-n", "env"]);
            sudo
        }
    };
    for name in ["PATH", "CARGO_HOME", "RUSTUP_HOME"] {
        if let Some(value) = env::var_os(name) {
            let mut assignment = std::ffi::OsString::from(format!("{name}="));
            assignment.push(value);
            command.arg(assignment);
        }
    }
    if access != RootAccess::None {
        // Where root is to be had, a test that skips itself is a failure.
        command.arg("MODESWITCH_REQUIRE_ROOT=1");
    }
    if tools {
        command.arg(format!("{REQUIRE_TOOLS}=1"));
    }
    command.arg(format!("{}={}", JSON_VARIABLE.0, JSON_VARIABLE.1));
    command.arg(&binary.executable).arg("--test-threads=1");
    command.args(JSON_OPTIONS).args(&binary.root_tests);
    in_package(&mut command, binary);
    command
}

/// As `cargo test` does it.
fn in_package<'a>(command: &'a mut Command, binary: &Binary) -> &'a mut Command {
    command
        .current_dir(&binary.package)
        .env("CARGO_MANIFEST_DIR", &binary.package)
}

/// All examples in the documentation, as one test: what runs them prints for people.
fn doc_tests(outcome: &mut Outcome) -> Result<()> {
    println!("-- doc tests");
    let mut command = workspace::cargo();
    command
        .args(["test", "--quiet", "--doc"])
        .args(workspace::HOST_PACKAGES);
    let status = command.status().context("cannot start cargo")?;
    if status.success() {
        outcome.passed += 1;
    } else {
        outcome.failed.push("doc tests".to_owned());
    }
    Ok(())
}
