//! The first files that a guest sees, enough to find this machine's: an archive in the
//! format that the kernel unpacks at boot ("newc").

use std::{collections::BTreeSet, fmt::Write as _, path::Path};

use anyhow::{Context as _, Result};
use fs_err as fs;

use super::{kernels::Kernel, modules::Modules};
use crate::install::find_program;

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
pub(super) fn build(kernel: &Kernel) -> Result<Vec<u8>> {
    let busybox = find_program("busybox").context("no busybox")?;
    let busybox = fs::read(&busybox)?;
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
    let loaded = modules
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
pub(super) fn of(folders: &[&str], files: &[(String, Vec<u8>)]) -> Vec<u8> {
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

/// An archive under construction.
#[derive(Debug, Default)]
struct Archive {
    bytes: Vec<u8>,
    entries: u32,
}

const FOLDER: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const LINK: u32 = 0o120_777;
const DEVICE: u32 = 0o020_600;
const TRAILER: &str = "TRAILER!!!";

impl Archive {
    fn folder(&mut self, path: &str) {
        self.entry(path, FOLDER, (0, 0), &[]);
    }

    /// A file that may be executed.
    fn file(&mut self, path: &str, content: &[u8]) {
        self.entry(path, PROGRAM, (0, 0), content);
    }

    fn link(&mut self, path: &str, to: &str) {
        self.entry(path, LINK, (0, 0), to.as_bytes());
    }

    /// A character device.
    fn device(&mut self, path: &str, number: (u32, u32)) {
        self.entry(path, DEVICE, number, &[]);
    }

    /// The archive's bytes.
    fn finish(mut self) -> Vec<u8> {
        self.entry(TRAILER, 0, (0, 0), &[]);
        self.bytes
    }

    /// Thirteen numbers of eight hexadecimal digits, the name, the content; the
    /// latter two filled up to multiples of four bytes.
    fn entry(&mut self, path: &str, mode: u32, device: (u32, u32), content: &[u8]) {
        self.entries += 1;
        let length = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
        let fields = [
            self.entries,
            mode,
            0, // owner
            0, // group
            1, // links
            0, // time: the same input gives the same archive
            length(content.len()),
            0,
            0,
            device.0,
            device.1,
            length(path.len() + 1),
            0, // checksum: unused in this format
        ];
        let mut header = "070701".to_owned();
        for field in fields {
            // Writing to a string cannot fail.
            let _ = write!(header, "{field:08x}");
        }
        self.bytes.extend(header.as_bytes());
        self.bytes.extend(path.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend(content);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `cpio -o -H newc` writes it.
    #[test]
    fn an_entry_has_header_name_and_content_each_aligned() {
        let mut archive = Archive::default();
        archive.file("init", b"hello");
        let bytes = archive.finish();
        let header = "07070100000001000081ed00000000000000000000000100000000\
                      0000000500000000000000000000000000000000000000050000000";
        assert!(bytes.starts_with(header.as_bytes()), "{bytes:?}");
        assert_eq!(&bytes[110..115], b"init\0");
        assert_eq!(bytes[115], 0);
        assert_eq!(&bytes[116..124], b"hello\0\0\0");
        assert_eq!(&bytes[124..130], b"070701");
        let name = 124 + 110;
        assert_eq!(&bytes[name..name + 10], TRAILER.as_bytes());
        assert_eq!(bytes.len() % 4, 0);
    }

    /// What every other reader of the format makes of it, where there is one.
    #[test]
    fn busybox_reads_it_back() {
        use std::io::Write as _;
        use std::process::{Command, Stdio};
        let mut archive = Archive::default();
        archive.folder("dir");
        archive.file("dir/file", b"abc");
        archive.link("link", "dir/file");
        let child = Command::new("busybox")
            .args(["cpio", "-t"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut child) = child else {
            println!("SKIPPED busybox_reads_it_back: no busybox here");
            return;
        };
        let mut input = child.stdin.take().unwrap();
        input.write_all(&archive.finish()).unwrap();
        drop(input);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.stdout, b"dir\ndir/file\nlink\n");
    }
}
