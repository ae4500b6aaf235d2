//! Licences, duplicate and banned crates, and where crates come from.

use std::process::{Command, Stdio};

use anyhow::Result;
use modeswitch_object::toolchain::cargo_home;

use super::step;
use crate::workspace;

const CARGO_DENY: &str = "0.20.2";

pub(super) fn check() -> Result<()> {
    if installed().as_deref() != Some(CARGO_DENY) {
        println!("      installing cargo-deny {CARGO_DENY}");
        let mut cargo = workspace::cargo();
        cargo.args(["install", "cargo-deny", "--locked", "--version", CARGO_DENY]);
        // It works for a second, and takes minutes to optimise.
        cargo.args(["--profile", "dev"]);
        step::quietly(cargo.env_remove("CARGO_TARGET_DIR"))?;
    }
    let mut cargo = workspace::cargo();
    cargo.args(["deny", "--workspace", "check", "--hide-inclusion-graph"]);
    if has_advisories() {
        cargo.args(["--disable-fetch", "advisories"]);
    } else {
        println!("      advisories: not checked, `cargo deny fetch` has not been run here");
    }
    step::quietly(cargo.args(["licenses", "bans", "sources"]))
}

fn installed() -> Option<String> {
    let mut command = Command::new("cargo-deny");
    let output = command
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.trim().strip_prefix("cargo-deny ").map(str::to_owned)
}

/// Fetching them takes a network that reaches beyond the crates' registry.
fn has_advisories() -> bool {
    cargo_home()
        .map(|home| home.join("advisory-dbs"))
        .is_some_and(|databases| databases.is_dir())
}
