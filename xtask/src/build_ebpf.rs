//! `cargo xtask build-ebpf`: the object that the profiler embeds, from source.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};

use crate::ebpf_object::layout::Layout;
use crate::ebpf_object::recipe;
use crate::ebpf_object::record::{Record, staleness};
use crate::ebpf_object::sources::Sources;
use crate::ebpf_object::toolchain::{self, Missing, Toolchain};
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
    let layout = workspace::layout();
    if options.check {
        check(&layout, &tools)
    } else {
        build(&layout, &tools)
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

fn build(layout: &Layout, tools: &Toolchain) -> Result<()> {
    let sources = Sources::read(layout)?;
    let object = recipe::build(layout, tools, &workspace::target_dir().join("ebpf"))?;
    ensure!(
        sources == Sources::read(layout)?,
        "the sources were edited during the build; run it again"
    );
    let record = Record::new(&object, &sources);
    write(&layout.object(), &object)?;
    write(&layout.record(), record.render().as_bytes())?;
    println!("{}: {} bytes", layout.object().display(), object.len());
    Ok(())
}

fn check(layout: &Layout, tools: &Toolchain) -> Result<()> {
    let mut faults = staleness(layout)?;
    let scratch = tempfile::tempdir().context("cannot make a temporary directory")?;
    let built = recipe::build(layout, tools, scratch.path())?;
    let checked_in = fs::read(layout.object()).unwrap_or_default();
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

fn write(path: &Path, content: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
    }
    fs::write(path, content).with_context(|| format!("cannot write {}", path.display()))
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
