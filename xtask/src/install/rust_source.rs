//! The sources of the standard library, of exactly the compiler's version.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use modeswitch_object::toolchain::Rust;
use modeswitch_object::{pins, process};

use super::apt::Apt;

/// The suite of Debian whose package `rust-src` has the pinned version.
const SUITE: &str = "trixie-backports";

pub(super) fn install(rust: &Rust) -> Result<()> {
    if by_rustup(rust) {
        return Ok(());
    }
    eprintln!("rustup cannot provide rust-src; asking Debian's mirror");
    by_debian(rust)
}

/// Whether rustup manages this toolchain and could fetch the component.
fn by_rustup(rust: &Rust) -> bool {
    let mut rustup = rust.command("rustup");
    rustup.args(["component", "add", "rust-src"]);
    process::run(&mut rustup).is_ok() && rust.has_source()
}

fn by_debian(rust: &Rust) -> Result<()> {
    let scratch = tempfile::tempdir().context("cannot make a temporary directory")?;
    let apt = Apt::new(&scratch.path().join("apt"), &[SUITE])?;
    apt.update()?;
    let folder = scratch.path().join("package");
    fs::create_dir(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    // In whichever of Debian's revisions.
    let deb = apt.download("rust-src", &format!("{}+*", pins::RUSTC), &folder)?;
    let unpacked = scratch.path().join("unpacked");
    process::run(Command::new("dpkg").arg("-x").args([&deb, &unpacked]))?;
    let source = unpacked.join(format!("usr/src/rustc-{}", pins::RUSTC));
    copy(&source, &rust.source())?;
    ensure!(
        rust.has_source(),
        "the package rust-src holds no sources of core"
    );
    Ok(())
}

/// Copies what building `core` needs; the compiler's own sources are no use.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot create {}", to.display()))?;
    process::run(
        Command::new("cp")
            .args(["-a", "-t"])
            .arg(to)
            .args([from.join("library"), from.join("Cargo.lock")]),
    )
}
