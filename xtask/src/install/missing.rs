//! From a missing piece to the commands that install it.

use std::process::Command;

use anyhow::{Result, bail};
use modeswitch_object::toolchain::{self, Missing, Toolchain};
use modeswitch_object::{pins, process};

use super::{packages, rust_source};

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
        Missing::RustSource(rust) => rust_source::install(rust),
    }
}

fn run(command: &mut Command) -> Result<()> {
    eprintln!("$ {}", process::describe(command));
    process::run(command)
}
