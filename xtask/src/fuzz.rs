//! `cargo xtask fuzz`: feeds the readers of other people's files with nonsense.

use std::{path::Path, process::Command};

use anyhow::{Context as _, Result, bail, ensure};
use modeswitch_object::process;

use crate::workspace;

/// The version that the fuzz targets were written for.
const CARGO_FUZZ: &str = "0.13.2";

/// Fuzz the readers of documents and of files that measured programs write
#[derive(clap::Args)]
pub(crate) struct Options {
    /// How long for each target
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u32,
    /// Install cargo-fuzz if it is missing
    #[arg(long)]
    install: bool,
    /// One target only; without, all of them, one after the other
    #[arg(value_name = "TARGET")]
    target: Option<String>,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let folder = workspace::root().join("fuzz");
    let all = targets(&folder)?;
    let chosen = match &options.target {
        Some(target) => {
            ensure!(
                all.contains(target),
                "there is no fuzz target `{target}`: there are {}",
                all.join(", ")
            );
            std::slice::from_ref(target)
        }
        None => &all[..],
    };
    ensure_installed(options.install)?;
    for target in chosen {
        println!("{target}: {} s", options.seconds);
        // The corpus in the tree stays as small as it is: what is found is
        // kept beside it.
        let grown = folder.join("grown").join(target);
        fs_err::create_dir_all(&grown)?;
        let mut cargo = workspace::cargo();
        // Coverage is a compiler flag that stable hides. There is next to no
        // unsafe code behind these targets, so that no sanitizer is needed,
        // which would need a nightly toolchain.
        cargo
            .current_dir(&folder)
            .env("RUSTC_BOOTSTRAP", "1")
            .args(["fuzz", "run", "--sanitizer", "none", target])
            .arg(&grown)
            .arg(folder.join("corpus").join(target))
            .args([
                "--",
                "-dict=documents.dict",
                "-rss_limit_mb=2048",
                "-timeout=10",
            ])
            .args(["-max_len=65536", "-print_final_stats=1"])
            .arg(format!("-max_total_time={}", options.seconds));
        process::run(&mut cargo).with_context(|| format!("fuzzing {target} found something"))?;
    }
    Ok(())
}

fn targets(folder: &Path) -> Result<Vec<String>> {
    let folder = folder.join("fuzz_targets");
    let mut targets = Vec::new();
    for entry in fs_err::read_dir(&folder)? {
        let path = entry?.path();
        if let Some(name) = path.file_stem().and_then(|name| name.to_str()) {
            targets.push(name.to_owned());
        }
    }
    targets.sort();
    Ok(targets)
}

fn ensure_installed(may_install: bool) -> Result<()> {
    let found = Command::new("cargo-fuzz").arg("--version").output();
    if found.is_ok_and(|output| output.status.success()) {
        return Ok(());
    }
    let install = ["install", "cargo-fuzz", "--locked", "--version", CARGO_FUZZ];
    if !may_install {
        bail!(
            "cargo-fuzz is missing: give --install, or run `cargo {}`",
            install.join(" ")
        );
    }
    process::run(workspace::cargo().args(install))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every target has a corpus to begin with, and is known to cargo.
    #[test]
    fn targets_are_complete() {
        let folder = workspace::root().join("fuzz");
        let manifest = fs_err::read_to_string(folder.join("Cargo.toml")).unwrap();
        for target in targets(&folder).unwrap() {
            assert!(
                manifest.contains(&format!("fuzz_targets/{target}.rs")),
                "{target}"
            );
            let corpus = fs_err::read_dir(folder.join("corpus").join(&target));
            assert!(corpus.unwrap().next().is_some(), "{target}");
        }
    }
}
