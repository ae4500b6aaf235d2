//! The pieces of the eBPF toolchain that are missing.

use std::{path::Path, process::Command};

use anyhow::{Context as _, Result, bail, ensure};
use fs_err as fs;
use modeswitch_object::{
    pins, process,
    toolchain::{self, Missing, Rust, Toolchain},
};

use super::{apt::Apt, packages};

/// Installs all that is missing, and returns the toolchain that results.
pub(crate) fn install() -> Result<Toolchain> {
    let mut last: Option<String> = None;
    loop {
        // What is missing next may depend on what was just installed, as the
        // sources of core do on the compiler.
        let missing = match toolchain::find() {
            Ok(tools) => return Ok(tools),
            Err(missing) => missing,
        };
        let Some(piece) = missing.first() else {
            bail!("the eBPF toolchain is incomplete, yet nothing is missing");
        };
        let name = piece.to_string();
        if last.as_deref() == Some(name.as_str()) {
            bail!("installing did not help: still missing {name}");
        }
        eprintln!("installing {name}");
        install_one(piece)?;
        last = Some(name);
    }
}

fn install_one(piece: &Missing) -> Result<()> {
    match piece {
        Missing::Llvm => packages::install(toolchain::llvm_packages().iter().map(String::as_str)),
        Missing::BpfLinker { .. } => run(Command::new("cargo")
            .env("LLVM_PREFIX", toolchain::llvm_prefix())
            .env_remove("CARGO_TARGET_DIR")
            .args(["install", "bpf-linker", "--locked", "--no-default-features"])
            .args(["--version", pins::BPF_LINKER])
            .args(["--features", &format!("llvm-{}", pins::LLVM_MAJOR)])),
        Missing::Rust { .. } => run(Command::new("rustup")
            .args(["toolchain", "install", pins::RUSTC])
            .args(["--profile", "minimal", "--component", "rust-src"])),
        Missing::RustSource(rust) => install_source(rust),
    }
}

fn run(command: &mut Command) -> Result<()> {
    eprintln!("$ {}", process::describe(command));
    process::run(command)
}

/// The suite of Debian whose package `rust-src` has the pinned version.
const SUITE: &str = "trixie-backports";

fn install_source(rust: &Rust) -> Result<()> {
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
    fs::create_dir(&folder)?;
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
    fs::create_dir_all(to)?;
    process::run(
        Command::new("cp")
            .args(["-a", "-t"])
            .arg(to)
            .args([from.join("library"), from.join("Cargo.lock")]),
    )
}
