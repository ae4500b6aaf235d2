//! Tests that cannot run here say so.

use std::{env, process::Command};

/// Whether this process may load eBPF programs.
pub(crate) fn is_privileged() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Debian's own, for which Debian's packages are.
pub(crate) const PYTHON: &str = "/usr/bin/python3";

fn is_set(variable: &str) -> bool {
    env::var_os(variable).is_some_and(|value| value == "1")
}

/// Prints why a test is skipped, or fails it where skips are not allowed.
pub(crate) fn skip(test: &str, reason: &str) {
    assert!(
        !is_set("MODESWITCH_REQUIRE_ROOT"),
        "{test} would be skipped, which MODESWITCH_REQUIRE_ROOT forbids: {reason}"
    );
    skip_here(test, reason);
}

/// Whether a program is there. If not, prints that a test is skipped for want of a
/// package; or fails it where `cargo xtask test` has installed what the tests need.
pub(crate) fn has_tool(test: &str, program: &str, package: &str) -> bool {
    let found = has_optional_tool(test, program, package);
    assert_optional(found, test, package);
    found
}

/// As [`has_tool`], of what is too large, or matters too little, to be installed.
pub(crate) fn has_optional_tool(test: &str, program: &str, package: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        skip_for_package(test, program, package);
    }
    found
}

/// As [`has_tool`], of a module of Python.
pub(crate) fn has_python_module(test: &str, module: &str, package: &str) -> bool {
    let mut python = Command::new(PYTHON);
    let found = python.args(["-c", &format!("import {module}")]).output();
    let found = found.is_ok_and(|output| output.status.success());
    if !found {
        skip_for_package(test, &format!("Python's {module}"), package);
    }
    assert_optional(found, test, package);
    found
}

fn assert_optional(found: bool, test: &str, package: &str) {
    assert!(
        found || !is_set("MODESWITCH_REQUIRE_TOOLS"),
        "{test} would be skipped for want of {package}, which MODESWITCH_REQUIRE_TOOLS forbids"
    );
}

fn skip_for_package(test: &str, what: &str, package: &str) {
    skip_here(
        test,
        &format!("needs {what}: apt-get install --no-install-recommends {package}"),
    );
    println!("NEEDS {package}");
}

/// Prints that a test is skipped for want of something that this kernel or this
/// machine does not have. The lab has machines with each of them.
pub(crate) fn skip_here(test: &str, reason: &str) {
    println!("SKIPPED {test}: {reason}");
}

/// Ends the test here unless it may load eBPF programs; if it fails, what it has
/// measured is kept.
#[macro_export]
macro_rules! needs_root {
    ($test:literal) => {
        if !$crate::support::skip::is_privileged() {
            $crate::support::skip::skip($test, "needs root to load eBPF programs");
            return;
        }
        let _kept_if_it_fails = $crate::support::evidence::Evidence::of($test);
    };
}
