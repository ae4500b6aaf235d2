//! Putting the archive together.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::cpio::Archive;
use super::graph::Modules;
use crate::lab::kernels::Kernel;
use crate::lab::tools;

/// Modules and their parameters, in the order in which they are wanted. A
/// kernel passes over a parameter that it does not know.
const WANTED: [(&str, &str); 13] = [
    ("virtio_pci", ""),
    ("9pnet_virtio", ""),
    ("9p", ""),
    ("overlay", ""),
    ("crc32c_generic", ""),
    ("ext4", ""),
    ("loop", ""),
    ("virtio_blk", ""),
    ("virtio_rng", ""),
    // One poll queue each, so that polled I/O is possible.
    (
        "null_blk",
        "queue_mode=2 submit_queues=1 poll_queues=1 gb=64",
    ),
    ("nvme", "poll_queues=1"),
    ("msr", ""),
    // The emulated processor is one of AMD's, with guests of its own.
    ("kvm_amd", ""),
];

const INIT: &str = include_str!("init.sh");

/// The archive for a kernel. Not compressed: QEMU hands it over in no time,
/// and unpacking it would be work for an emulated processor.
pub(in crate::lab) fn build(kernel: &Kernel) -> Result<Vec<u8>> {
    let busybox = tools::find("busybox").context("no busybox")?;
    let busybox =
        fs::read(&busybox).with_context(|| format!("cannot read {}", busybox.display()))?;
    let mut archive = Archive::default();
    for folder in [
        "bin", "dev", "proc", "sys", "modules", "lower", "upper", "root",
    ] {
        archive.folder(folder);
    }
    archive.device("dev/console", (5, 1));
    archive.file("bin/busybox", &busybox);
    archive.link("bin/sh", "busybox");
    archive.file("init", INIT.as_bytes());

    let names = WANTED.map(|(name, _)| name);
    let modules = Modules::find(&kernel.modules)?;
    let (loaded, _) = modules
        .in_order(&names)
        .with_context(|| format!("the modules of {}", kernel.release))?;
    let mut list = String::new();
    for module in loaded {
        let parameters = WANTED.iter().find(|(name, _)| *name == module.name);
        let parameters = parameters.map_or("", |(_, parameters)| parameters);
        list.extend([module.name.as_str(), " ", parameters, "\n"]);
        archive.file(&format!("modules/{}.ko", module.name), &module.content);
    }
    archive.file("modules/list", list.as_bytes());
    Ok(archive.finish())
}

/// An archive of these folders and files, with the folders that the files are in.
pub(in crate::lab) fn of(folders: &[&str], files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let paths = files.iter().map(|(path, _)| Path::new(path));
    let parents = paths.flat_map(|path| path.ancestors().skip(1));
    let all = folders.iter().map(Path::new).chain(parents);
    // Sorted, and so the outer ones come first.
    let all: BTreeSet<&Path> = all.filter(|path| *path != Path::new("")).collect();
    let mut archive = Archive::default();
    for folder in all {
        archive.folder(&folder.to_string_lossy());
    }
    archive.device("dev/console", (5, 1));
    archive.link("bin/sh", "busybox");
    for (path, content) in files {
        archive.file(path, content);
    }
    archive.finish()
}
