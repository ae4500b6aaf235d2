//! What is read: a given file, a sparse one of our own, or nothing.

use std::{
    env,
    fs::File,
    io::{self, Seek, SeekFrom},
    os::unix::fs::FileTypeExt,
    path::{Path, PathBuf},
};

use crate::{device::Device, error::WorkloadError, plan::Source, summary::ServedBy, sys::files};

/// An open target.
#[derive(Debug)]
pub(crate) struct Target {
    /// `None`: operations that do nothing.
    pub(crate) file: Option<File>,
    /// That answers reads, if one does.
    pub(crate) device: Option<Device>,
    /// For people.
    pub(crate) name: String,
    pub(crate) served_by: ServedBy,
    bytes: u64,
    alignment: u32,
}

impl Target {
    pub(crate) fn open(source: &Source) -> Result<Self, WorkloadError> {
        match source {
            Source::File { path, size } => open_existing(path, *size),
            Source::Temporary { size } => create_temporary(*size),
            Source::Nop { size } => Ok(Self {
                file: None,
                device: None,
                name: "no device (NOP)".to_owned(),
                served_by: ServedBy::Nops,
                bytes: *size,
                alignment: 1,
            }),
        }
    }

    /// How many blocks of this size the target holds.
    pub(crate) fn blocks(&self, block_size: u32) -> Result<u64, WorkloadError> {
        if !block_size.is_multiple_of(self.alignment) {
            return Err(WorkloadError::Usage(format!(
                "--block-size {block_size}: {} is read in units of {} bytes; use a multiple",
                self.name, self.alignment
            )));
        }
        match self.bytes / u64::from(block_size) {
            0 => Err(WorkloadError::Usage(format!(
                "{} holds {} bytes, less than one block of {block_size}",
                self.name, self.bytes
            ))),
            blocks => Ok(blocks),
        }
    }

    /// Why there is no device to poll, or why it cannot be polled, if that is known
    /// beforehand.
    pub(crate) fn unpollable(&self) -> Option<String> {
        if self.served_by == ServedBy::Holes {
            return Some(
                "reads of holes are answered by the file system, and there is no device to poll"
                    .to_owned(),
            );
        }
        let device = self.device.as_ref()?;
        (device.can_poll() == Some(false))
            .then(|| format!("{} has no poll queues (queue/io_poll is 0)", device.name()))
    }
}

fn open_existing(path: &Path, size: Option<u64>) -> Result<Target, WorkloadError> {
    let mut file = files::open_direct(path).map_err(|source| match source.raw_os_error() {
        Some(libc::ENOENT) => WorkloadError::FileNotFound(path.to_owned()),
        Some(libc::EINVAL) => WorkloadError::NotDirect(path.to_owned()),
        _ => WorkloadError::FileOpen {
            path: path.to_owned(),
            source,
        },
    })?;
    let cannot_tell = |source| WorkloadError::FileOpen {
        path: path.to_owned(),
        source,
    };
    let metadata = file.metadata().map_err(cannot_tell)?;
    let kind = metadata.file_type();
    if !kind.is_file() && !kind.is_block_device() {
        return Err(WorkloadError::Usage(format!(
            "{} is neither a file nor a block device",
            path.display()
        )));
    }
    // The end of a device is found by going there.
    let there = file.seek(SeekFrom::End(0)).map_err(cannot_tell)?;
    let bytes = size.unwrap_or(there);
    if bytes > there {
        return Err(WorkloadError::Usage(format!(
            "--size {bytes}: {} holds only {there} bytes",
            path.display()
        )));
    }
    Ok(described(file, path.display().to_string(), bytes))
}

/// A sparse file without a name, in the first directory that can have one.
fn create_temporary(size: u64) -> Result<Target, WorkloadError> {
    let mut tried = Vec::new();
    for directory in directories() {
        match files::nameless(&directory, libc::O_DIRECT).and_then(|file| sized(file, size)) {
            Ok(file) => {
                let name = format!("sparse temporary file in {}", directory.display());
                return Ok(described(file, name, size));
            }
            Err(error) => tried.push(format!("{}: {error}", directory.display())),
        }
    }
    Err(WorkloadError::NoDirectory {
        size,
        tried: tried.join(", "),
    })
}

fn directories() -> Vec<PathBuf> {
    let chosen = env::var_os("TMPDIR").map(PathBuf::from);
    chosen
        .into_iter()
        .chain([PathBuf::from("/var/tmp"), PathBuf::from(".")])
        .collect()
}

fn sized(file: File, size: u64) -> io::Result<File> {
    file.set_len(size)?;
    Ok(file)
}

fn described(file: File, name: String, bytes: u64) -> Target {
    let device = file.metadata().ok().as_ref().and_then(Device::of);
    let alignment = files::direct_alignment(&file)
        .or_else(|| device.as_ref().and_then(Device::logical_block_size))
        .unwrap_or(512);
    let served_by = served_by(&file, device.as_ref(), bytes);
    Target {
        file: Some(file),
        device: device.filter(|_| served_by.device().is_some()),
        name,
        served_by,
        bytes,
        alignment,
    }
}

/// What answers reads of the first bytes of a file.
fn served_by(file: &File, device: Option<&Device>, bytes: u64) -> ServedBy {
    let device = device.map(Device::name);
    let is_device = |file: &File| Some(file.metadata().ok()?.file_type().is_block_device());
    if is_device(file) == Some(true) {
        let device = device.unwrap_or_else(|| "without a name".to_owned());
        return ServedBy::Device { device };
    }
    match files::data_bytes(file, bytes) {
        Ok(0) => ServedBy::Holes,
        Ok(data_bytes) if data_bytes < bytes => ServedBy::SparseFile {
            device,
            data_bytes,
            bytes,
        },
        // A file system that knows no holes has none.
        Ok(_) | Err(_) => ServedBy::File { device },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nop(size: u64) -> Target {
        Target::open(&Source::Nop { size }).unwrap()
    }

    fn given(path: &Path, size: Option<u64>) -> Result<Target, WorkloadError> {
        Target::open(&Source::File {
            path: path.to_owned(),
            size,
        })
    }

    #[test]
    fn a_target_smaller_than_a_block_or_out_of_step_is_a_usage_error() {
        assert_eq!(nop(4096).blocks(512).unwrap(), 8);
        assert_eq!(nop(4097).blocks(512).unwrap(), 8);
        assert!(nop(511).blocks(512).unwrap_err().is_usage());
        let odd = Target {
            alignment: 4096,
            ..nop(1 << 20)
        };
        let error = odd.blocks(512).unwrap_err();
        assert!(error.to_string().contains("units of 4096"), "{error}");
    }

    /// What serves a target is what the file system says of it, however the file
    /// was made.
    #[test]
    fn holes_are_told_from_data() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let file = File::create(&path).unwrap();
        let bytes = 1 << 20;
        file.set_len(bytes).unwrap();
        let found = |bytes| served_by(&File::open(&path).unwrap(), None, bytes);
        assert_eq!(found(bytes), ServedBy::Holes);
        let block = vec![1; 1 << 16];
        std::os::unix::fs::FileExt::write_all_at(&file, &block, 1 << 19).unwrap();
        file.sync_all().unwrap();
        let ServedBy::SparseFile { data_bytes, .. } = found(bytes) else {
            panic!("{:?}", found(bytes));
        };
        assert_eq!(data_bytes, 1 << 16);
        assert_eq!(found(1 << 19), ServedBy::Holes);
        std::fs::write(&path, vec![1; 1 << 20]).unwrap();
        assert_eq!(found(bytes), ServedBy::File { device: None });
    }

    /// Nothing is polled and no device's interrupts are shown where none serves.
    #[test]
    fn a_file_of_holes_has_no_device() {
        let Ok(target) = create_temporary(1 << 20) else {
            eprintln!("skipped: no directory here takes O_DIRECT");
            return;
        };
        assert_eq!(target.served_by, ServedBy::Holes);
        assert!(target.device.is_none());
        assert!(target.unpollable().unwrap().contains("no device to poll"));
    }

    #[test]
    fn a_missing_file_and_a_directory_are_told_apart() {
        let directory = tempfile::tempdir().unwrap();
        let missing = given(&directory.path().join("none"), None).unwrap_err();
        assert!(
            matches!(missing, WorkloadError::FileNotFound(_)),
            "{missing}"
        );
        assert!(given(directory.path(), None).is_err());
    }

    #[test]
    fn a_size_beyond_the_file_is_refused_and_the_temporary_file_has_no_name() {
        let Ok(target) = create_temporary(1 << 20) else {
            eprintln!("skipped: no directory here takes O_DIRECT");
            return;
        };
        let file = target.file.unwrap();
        let metadata = file.metadata().unwrap();
        assert_eq!(
            (
                metadata.len(),
                std::os::unix::fs::MetadataExt::nlink(&metadata)
            ),
            (1 << 20, 0)
        );
        let path = files::below(std::os::fd::AsRawFd::as_raw_fd(&file), "");
        let path = path.to_string_lossy().trim_end_matches('/').to_owned();
        let error = given(Path::new(&path), Some(2 << 20)).unwrap_err();
        assert!(error.to_string().contains("holds only"), "{error}");
    }
}
