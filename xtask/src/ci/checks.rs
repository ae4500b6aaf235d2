//! What is checked of the tree and of its builds.

use std::{
    io::{Read as _, Seek as _, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};
use cargo_metadata::Message;
use fs_err as fs;
use modeswitch_object::{process, recipe, toolchain::cargo_home};

use crate::{build_ebpf, workspace};

/// Runs a command; what it prints is shown if it fails.
pub(super) fn quietly(command: &mut Command) -> Result<()> {
    let name = process::describe(command);
    // One file for both streams keeps their lines in order.
    let mut log = tempfile::tempfile().context("cannot make a temporary file")?;
    let context = "cannot use the temporary file twice";
    let status = command
        .stdin(Stdio::null())
        .stdout(log.try_clone().context(context)?)
        .stderr(log.try_clone().context(context)?)
        .status()
        .with_context(|| format!("cannot start `{name}`"))?;
    if status.success() {
        return Ok(());
    }
    let mut output = Vec::new();
    log.rewind()
        .and_then(|()| log.read_to_end(&mut output))
        .and_then(|_| std::io::stderr().write_all(&output))
        .with_context(|| format!("cannot show what `{name}` printed"))?;
    bail!("`{name}` ended with {status}")
}

pub(super) fn user_side() -> Result<()> {
    let mut cargo = workspace::cargo();
    cargo.args(["clippy", "--all-targets"]);
    cargo.args(workspace::HOST_PACKAGES);
    quietly(cargo.args(["--", "-D", "warnings"]))
}

pub(super) fn ebpf_side() -> Result<()> {
    let tools = build_ebpf::toolchain(false)?;
    let target_dir = workspace::target_dir().join("ebpf");
    let mut cargo = recipe::cargo(&workspace::here(), &tools, &target_dir, "clippy")?;
    quietly(cargo.args(["--", "-D", "warnings"]))
}

const CARGO_DENY: &str = "0.20.2";

pub(super) fn licences() -> Result<()> {
    if installed().as_deref() != Some(CARGO_DENY) {
        println!("      installing cargo-deny {CARGO_DENY}");
        let mut cargo = workspace::cargo();
        cargo.args(["install", "cargo-deny", "--locked", "--version", CARGO_DENY]);
        // It works for a second, and takes minutes to optimise.
        cargo.args(["--profile", "dev"]);
        quietly(cargo.env_remove("CARGO_TARGET_DIR"))?;
    }
    let mut cargo = workspace::cargo();
    cargo.args(["deny", "--workspace", "check", "--hide-inclusion-graph"]);
    if has_advisories() {
        cargo.args(["--disable-fetch", "advisories"]);
    } else {
        println!("      advisories: not checked, `cargo deny fetch` has not been run here");
    }
    quietly(cargo.args(["licenses", "bans", "sources"]))
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

pub(super) fn no_op_rebuild() -> Result<()> {
    quietly(&mut build())?;
    // Writes the index, as people's prompts and editors do all day.
    let mut git = Command::new("git");
    git.args(["status", "--short"])
        .current_dir(workspace::root());
    // Where there is no git, its index cannot be in the way.
    let _ = git.output();

    let mut again = build();
    again.arg("--message-format=json");
    let rebuilt = rebuilt(&process::output(&mut again)?)?;
    ensure!(
        rebuilt.is_empty(),
        "a second build with nothing changed compiled {}",
        rebuilt.join(", ")
    );
    Ok(())
}

fn build() -> Command {
    let mut cargo = workspace::cargo();
    cargo.arg("build").args(workspace::HOST_PACKAGES);
    cargo
}

/// The targets that cargo did not find fresh.
fn rebuilt(messages: &[u8]) -> Result<Vec<String>> {
    let mut rebuilt = Vec::new();
    for message in Message::parse_stream(messages) {
        if let Message::CompilerArtifact(artifact) = message.context("cargo did not print JSON")?
            && !artifact.fresh
        {
            rebuilt.push(artifact.target.name);
        }
    }
    Ok(rebuilt)
}

/// From what would be published, and nothing beside it.
pub(super) fn packages() -> Result<()> {
    let target_dir = workspace::target_dir().join("packages");
    forget_packages(&target_dir)?;
    let mut cargo = workspace::cargo();
    cargo.args(["package", "--workspace", "--allow-dirty", "--target-dir"]);
    quietly(cargo.arg(&target_dir).args(["--exclude", "xtask"]))
}

/// To cargo a packed version never changes. So it would take what an earlier run has
/// unpacked in its home, below the registry without a host, and built.
fn forget_packages(target_dir: &Path) -> Result<()> {
    if target_dir.exists() {
        fs::remove_dir_all(target_dir)?;
    }
    let sources = cargo_home()
        .context("no home of cargo")?
        .join("registry/src");
    for registry in fs::read_dir(sources)? {
        let registry = registry?;
        if !registry.file_name().to_string_lossy().starts_with('-') {
            continue;
        }
        for package in fs::read_dir(registry.path())? {
            let package = package?;
            let name = package.file_name();
            if name.to_string_lossy().starts_with("modeswitch") {
                fs::remove_dir_all(package.path())?;
            }
        }
    }
    Ok(())
}

const REFUSED: [&str; 14] = [
    "7z", "a", "bz2", "deb", "exe", "gz", "jar", "o", "rpm", "so", "tar", "whl", "xz", "zip",
];
/// Built from this tree, byte for byte, as another step checks.
const PREBUILT: &str = "profiler/prebuilt/";

pub(super) fn no_binaries() -> Result<()> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z"]).current_dir(workspace::root());
    let output = process::output(&mut git)?;
    let files = String::from_utf8_lossy(&output).into_owned();
    let refused: Vec<&str> = files.split('\0').filter(|file| is_refused(file)).collect();
    ensure!(
        refused.is_empty(),
        "binaries are checked in: {}",
        refused.join(", ")
    );
    Ok(())
}

fn is_refused(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    // Pictures belong to the documentation.
    let is_picture = extension == Some("png") && !file.starts_with("docs/");
    let is_binary = extension.is_some_and(|found| REFUSED.contains(&found));
    (is_binary || is_picture) && !file.starts_with(PREBUILT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_compiled_is_named() {
        let artifact = |name: &str, fresh: bool| {
            format!(
                r#"{{"reason":"compiler-artifact","package_id":"p","manifest_path":"/p/Cargo.toml","target":{{"kind":["lib"],"crate_types":["lib"],"name":"{name}","src_path":"/p/lib.rs"}},"profile":{{"opt_level":"0","debuginfo":null,"debug_assertions":true,"overflow_checks":true,"test":false}},"features":[],"filenames":[],"executable":null,"fresh":{fresh}}}"#
            )
        };
        let messages = [
            artifact("a", true),
            artifact("b", false),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
        ]
        .join("\n");
        assert_eq!(rebuilt(messages.as_bytes()).unwrap(), ["b"]);
    }

    #[test]
    fn only_what_belongs_here_may_be_binary() {
        for file in [
            "toml-0.10.2-py2.py3-none-any.whl",
            "a/b.so",
            "x.tar.gz",
            "shot.png",
        ] {
            assert!(is_refused(file), "{file}");
        }
        for file in [
            "profiler/prebuilt/modeswitch.bpf.o",
            "docs/a.png",
            "so",
            "a/lib.rs",
        ] {
            assert!(!is_refused(file), "{file}");
        }
    }
}
