//! `cargo xtask build-ebpf`: the object that the profiler embeds, from source.

use anyhow::{Context as _, Result, bail, ensure};
use fs_err as fs;
use modeswitch_object::{
    recipe,
    record::{Record, staleness},
    toolchain::{self, Missing, Toolchain},
    workspace::Workspace,
};

use crate::{install, workspace};

/// Build the eBPF object from source and check it in beside the hash of its sources
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Change nothing: build in a fresh directory and compare with what is checked in
    #[arg(long)]
    check: bool,
    /// Install the pieces of the toolchain that are missing
    #[arg(long)]
    install: bool,
}

impl Options {
    /// What CI asks for.
    pub(crate) fn check() -> Self {
        Self {
            check: true,
            install: false,
        }
    }
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let tools = toolchain(options.install)?;
    let sources = workspace::here();
    if options.check {
        check(&sources, &tools)
    } else {
        build(&sources, &tools)
    }
}

/// The toolchain, installed first if that is wanted and needed.
pub(crate) fn toolchain(install: bool) -> Result<Toolchain> {
    if install {
        return install::missing_toolchain();
    }
    match toolchain::find() {
        Ok(tools) => Ok(tools),
        Err(missing) => {
            explain(&missing);
            bail!(
                "the eBPF toolchain is incomplete; `cargo xtask build-ebpf --install` runs the commands above"
            )
        }
    }
}

fn explain(missing: &[Missing]) {
    eprintln!("Missing for building the eBPF object:");
    for piece in missing {
        eprintln!("  {piece}");
        for command in piece.remedy() {
            eprintln!("    {command}");
        }
    }
}

fn build(sources: &Workspace, tools: &Toolchain) -> Result<()> {
    let before = Record::of_sources(sources)?;
    let object = recipe::build(sources, tools, &workspace::target_dir().join("ebpf"))?;
    ensure!(
        before == Record::of_sources(sources)?,
        "the sources were edited during the build; run it again"
    );
    let record = before.with_object(&object);
    fs::write(sources.object(), &object)?;
    fs::write(sources.record(), record.render())?;
    println!("{}: {} bytes", sources.object().display(), object.len());
    Ok(())
}

fn check(sources: &Workspace, tools: &Toolchain) -> Result<()> {
    let mut faults = staleness(sources)?;
    let scratch = tempfile::tempdir().context("cannot make a temporary directory")?;
    let built = recipe::build(sources, tools, scratch.path())?;
    let checked_in = fs::read(sources.object()).unwrap_or_default();
    faults.extend(byte_difference(&checked_in, &built));
    if faults.is_empty() {
        println!("the checked-in object is what its sources give, byte for byte");
        return Ok(());
    }
    for fault in &faults {
        eprintln!("  {fault}");
    }
    bail!(
        "the checked-in object is not what its sources give; `cargo xtask build-ebpf` makes it so"
    )
}

fn byte_difference(checked_in: &[u8], built: &[u8]) -> Option<String> {
    if checked_in == built {
        return None;
    }
    let same = checked_in.iter().zip(built).take_while(|(a, b)| a == b);
    Some(format!(
        "modeswitch.bpf.o has {} bytes, a fresh build {}; the first difference is at byte {}",
        checked_in.len(),
        built.len(),
        same.count()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named() {
        assert_eq!(byte_difference(b"abc", b"abc"), None);
        let text = byte_difference(b"abc", b"abXY").unwrap();
        assert!(text.contains("3 bytes"), "{text}");
        assert!(text.ends_with("byte 2"), "{text}");
    }
}
