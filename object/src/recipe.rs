//! Building the eBPF object from source.

use std::{
    collections::BTreeSet,
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Result;
use fs_err as fs;

use crate::{
    pins,
    process::run,
    record::sha256,
    toolchain::{Toolchain, cargo_home},
    workspace::{Closure, Workspace},
};

/// What the nested cargo may see of our environment: enough to find its tools
/// and the network. Flags, wrappers and what a build script is told stay out.
const ENVIRONMENT: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "TMPDIR",
    "TERM",
    "LD_LIBRARY_PATH",
    "CARGO_HOME",
    "CARGO_TERM_COLOR",
    "CARGO_NET_OFFLINE",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];
const ENVIRONMENT_PREFIXES: &[&str] = &[
    "CARGO_HTTP_",
    "CARGO_NET_",
    "CARGO_REGISTRIES_",
    "CARGO_REGISTRY_",
    "CARGO_SOURCE_",
    "HTTP_",
    "HTTPS_",
    "NO_PROXY",
    "http_",
    "https_",
    "no_proxy",
];

/// Builds the object below `target_dir` and returns its bytes: the same ones
/// whatever the directories are called.
pub fn build(workspace: &Workspace, tools: &Toolchain, target_dir: &Path) -> Result<Vec<u8>> {
    // Artefacts of another toolchain are none of ours.
    let target_dir = target_dir.join(&sha256(pins::describe().as_bytes())[..8]);
    let mut cargo = cargo(workspace, tools, &target_dir, "build")?;
    cargo.args(["--profile", pins::PROFILE_NAME]);
    for (setting, value) in pins::PROFILE {
        cargo.arg("--config");
        cargo.arg(format!("profile.{}.{setting}={value}", pins::PROFILE_NAME));
    }
    run(&mut cargo)?;
    let built = target_dir
        .join(pins::TARGET)
        .join(pins::PROFILE_NAME)
        .join(pins::BINARY);
    let stripped = target_dir.join("stripped.bpf.o");
    // DWARF is for people with a debugger; .BTF and .BTF.ext, which the kernel
    // and aya read, are no debug sections and stay.
    run(Command::new(&tools.objcopy)
        .arg("--strip-debug")
        .args([&built, &stripped]))?;
    Ok(fs::read(&stripped)?)
}

/// A cargo command on the eBPF package, for the eBPF target.
pub fn cargo(
    workspace: &Workspace,
    tools: &Toolchain,
    target_dir: &Path,
    subcommand: &str,
) -> Result<Command> {
    let maps = prefix_maps(workspace, tools, target_dir)?;
    let mut flags: OsString = ["-Clinker=".into(), tools.linker.clone().into_os_string()]
        .into_iter()
        .collect();
    for flag in pins::RUSTFLAGS {
        flags.push("\x1f");
        flags.push(flag);
    }
    for (folder, alias) in maps {
        flags.push("\x1f--remap-path-prefix=");
        flags.push(folder);
        flags.push(format!("={alias}"));
    }
    let mut cargo = tools.rust.command("cargo");
    clean_environment(&mut cargo, tools);
    cargo
        // Lets a stable compiler build `core`; nothing else is made of it.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_ENCODED_RUSTFLAGS", flags)
        .current_dir(workspace.root())
        .args([subcommand, "--locked", "--package", pins::PACKAGE])
        .args(["--bin", pins::BINARY, "--features", pins::FEATURE])
        .args(["--target", pins::TARGET, "-Zbuild-std=core"])
        .arg("--target-dir")
        .arg(target_dir);
    Ok(cargo)
}

/// Directories of this machine and what they are called in the object. Of two
/// that match, rustc takes the later.
fn prefix_maps(
    workspace: &Workspace,
    tools: &Toolchain,
    target_dir: &Path,
) -> Result<Vec<(PathBuf, &'static str)>> {
    let closure = workspace.closure()?;
    let (mut registries, complete) = registries(&closure);
    if !complete {
        let mut fetch = tools.rust.command("cargo");
        clean_environment(&mut fetch, tools);
        fetch.current_dir(workspace.root());
        run(fetch.args(["fetch", "--locked"]))?;
        registries = self::registries(&closure).0;
    }
    let mut maps = vec![
        (workspace.root().to_path_buf(), pins::WORKSPACE_ALIAS),
        (target_dir.to_path_buf(), pins::TARGET_DIR_ALIAS),
    ];
    maps.extend(registries.into_iter().map(|f| (f, pins::REGISTRY_ALIAS)));
    maps.push((tools.rust.sysroot.clone(), pins::SYSROOT_ALIAS));
    Ok(maps)
}

/// The folders below `registry/src` into which cargo has unpacked the crates that the
/// object is built from, one for each registry; and whether all crates were found.
///
/// A folder's name tells where the crates were fetched from. It must not reach the
/// object, so each has to be known before the build.
fn registries(closure: &Closure) -> (BTreeSet<PathBuf>, bool) {
    let candidates: Vec<PathBuf> = cargo_home()
        .and_then(|home| fs::read_dir(home.join("registry/src")).ok())
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    let mut folders = BTreeSet::new();
    let mut complete = true;
    for (name, version) in closure.locked.keys() {
        let name = format!("{name}-{version}");
        let holding = candidates.iter().filter(|c| c.join(&name).is_dir());
        let holding: Vec<PathBuf> = holding.cloned().collect();
        complete &= !holding.is_empty();
        folders.extend(holding);
    }
    (folders, complete)
}

fn clean_environment(command: &mut Command, tools: &Toolchain) {
    command.env_clear();
    for (name, value) in env::vars_os() {
        let known = name.to_str().is_some_and(|name| {
            ENVIRONMENT.contains(&name) || ENVIRONMENT_PREFIXES.iter().any(|p| name.starts_with(p))
        });
        if known {
            command.env(name, value);
        }
    }
    if let Some(name) = &tools.rust.rustup_name {
        command.env("RUSTUP_TOOLCHAIN", name);
    }
}
