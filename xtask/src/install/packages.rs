//! Packages of the distribution, by apt.

use std::{
    env,
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Result, bail};
use modeswitch_object::process;

use crate::workspace::{self, RootAccess};

/// A package that is needed, and what of it has to be there, wherever it came from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Need {
    package: &'static str,
    what: What,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Program(&'static str),
    /// Of Debian's own Python.
    PythonModule(&'static str),
}

/// What the tests compile, measure and compare themselves with, and what reads back
/// what is written: metrics, test reports, manual pages.
pub(crate) const FOR_TESTS: [Need; 11] = [
    Need::program("gcc", "gcc"),
    Need::program("g++", "g++"),
    Need::program("musl-tools", "musl-gcc"),
    Need::program("bpftrace", "bpftrace"),
    Need::program("fio", "fio"),
    Need::program("linux-perf", "perf"),
    Need::program("bsdutils", "script"),
    Need::program("util-linux", "setpriv"),
    Need::program("groff-base", "groff"),
    Need::module("python3-prometheus-client", "prometheus_client"),
    Need::module("python3-junitparser", "junitparser"),
];

impl Need {
    pub(crate) const fn program(package: &'static str, name: &'static str) -> Self {
        Self {
            package,
            what: What::Program(name),
        }
    }

    const fn module(package: &'static str, name: &'static str) -> Self {
        Self {
            package,
            what: What::PythonModule(name),
        }
    }

    fn is_met(&self) -> bool {
        match self.what {
            What::Program(name) => find_program(name).is_some(),
            What::PythonModule(name) => {
                let mut python = Command::new("/usr/bin/python3");
                python.args(["-c", &format!("import {name}")]);
                let status = python.stdin(Stdio::null()).stderr(Stdio::null()).status();
                status.is_ok_and(|status| status.success())
            }
        }
    }
}

/// A program's file, by the search path.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    // The latter holds what makes file systems, and is not on every path.
    let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    folders
        .map(|folder: PathBuf| folder.join(name))
        .find(|file| file.is_file())
}

/// The packages that are missing.
pub(crate) fn missing(needs: &[Need]) -> Vec<&'static str> {
    let unmet = needs.iter().filter(|need| !need.is_met());
    unmet.map(|need| need.package).collect()
}

/// Installs what is missing if this process may, or names the command in one line.
pub(crate) fn ensure(what_for: &str, needs: &[Need]) -> Result<()> {
    let missing = self::missing(needs);
    if missing.is_empty() {
        return Ok(());
    }
    if workspace::root_access() == RootAccess::None {
        bail!(
            "{what_for} needs what is not installed: \
             `sudo apt-get install --no-install-recommends {}`",
            missing.join(" ")
        );
    }
    install(missing.iter().copied())?;
    let missing = self::missing(needs);
    if !missing.is_empty() {
        bail!(
            "installing did not help: still missing {}",
            missing.join(" ")
        );
    }
    Ok(())
}

const APT_GET: [&str; 5] = [
    "env",
    "DEBIAN_FRONTEND=noninteractive",
    "apt-get",
    "-q",
    "-y",
];

/// Installs packages as root.
pub(crate) fn install<'a>(packages: impl IntoIterator<Item = &'a str>) -> Result<()> {
    as_root(&[&APT_GET[..], &["update"]].concat())?;
    let mut arguments = [&APT_GET[..], &["install", "--no-install-recommends"]].concat();
    arguments.extend(packages);
    as_root(&arguments)
}

/// Runs a command as root: directly, or by a `sudo` that asks no password.
pub(crate) fn as_root(arguments: &[&str]) -> Result<()> {
    let mut command = match workspace::root_access() {
        workspace::RootAccess::Root => Command::new(arguments[0]),
        workspace::RootAccess::Sudo => {
            let mut sudo = Command::new("sudo");
            sudo.args(["-n", arguments[0]]);
            sudo
        }
        workspace::RootAccess::None => bail!("`{}` has to be run as root", arguments.join(" ")),
    };
    command.args(&arguments[1..]);
    eprintln!("$ {}", process::describe(&command));
    process::run(&mut command)
}
