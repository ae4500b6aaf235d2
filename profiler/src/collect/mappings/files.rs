//! Files that code was mapped from, kept open while they can be had: the program
//! may delete itself, and a container may be gone before anybody asks.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io,
    os::{
        fd::AsRawFd,
        unix::fs::{MetadataExt, OpenOptionsExt},
    },
};

use super::data::{FileId, Mapping};

/// Files kept open at one time.
const MOST: usize = 384;

/// Files by what identifies them, or why there is none.
#[derive(Debug, Default)]
pub struct KeptFiles {
    files: BTreeMap<FileId, Result<File, String>>,
    /// Files that there was no room for.
    pub not_kept: u64,
}

impl KeptFiles {
    /// Keeps the file of an executable mapping, unless it is kept already.
    pub(super) fn keep(&mut self, tgid: u32, mapping: &Mapping) {
        let id = mapping.file();
        if self.files.get(&id).is_some_and(Result::is_ok) {
            return;
        }
        if self.files.len() >= MOST {
            self.not_kept += u64::from(!self.files.contains_key(&id));
            return;
        }
        let file = open(tgid, mapping);
        self.files.insert(id, file);
    }

    /// Keeps a file before it is mapped.
    pub(super) fn keep_path(&mut self, path: &std::path::Path) {
        let Ok(file) = open_regular(&path.to_string_lossy()) else {
            return;
        };
        let (Ok(status), Ok(path)) = (file.metadata(), path.canonicalize()) else {
            return;
        };
        let id = FileId {
            path: path.to_string_lossy().into_owned(),
            major: libc::major(status.dev()),
            minor: libc::minor(status.dev()),
            inode: status.ino(),
        };
        self.files.insert(id, Ok(file));
    }

    /// The file, or why it was not kept.
    ///
    /// # Errors
    /// The reason, for people.
    pub fn get(&self, id: &FileId) -> Result<&File, &str> {
        if let Some(Ok(file)) = self.files.get(id) {
            return Ok(file);
        }
        // File systems that have several device numbers for one file system show
        // another one here than there.
        let same = |(other, file): (&FileId, &'_ Result<File, String>)| {
            other.path == id.path && other.inode == id.inode && file.is_ok()
        };
        let twin = self.files.iter().find(|&entry| same(entry));
        match twin.map(|(_, file)| file).or(self.files.get(id)) {
            Some(Ok(file)) => Ok(file),
            Some(Err(reason)) => Err(reason),
            None => Err("the file was not kept: there were too many"),
        }
    }
}

/// Opens what a process has mapped: best through the mapping itself, which is
/// right even if the file is deleted or in another mount namespace; else through
/// the process's root; else by its path here, if that is the same file.
fn open(tgid: u32, mapping: &Mapping) -> Result<File, String> {
    let Mapping { start, end, .. } = mapping;
    let path = &mapping.path;
    let through_mapping = format!("/proc/{tgid}/map_files/{start:x}-{end:x}");
    let through_root = format!("/proc/{tgid}/root{path}");
    let mut reason = String::new();
    for place in [&through_mapping, &through_root, path] {
        match open_regular(place) {
            Ok(file) => match file.metadata() {
                Ok(status) if status.ino() == mapping.inode => return Ok(file),
                Ok(_) => "another file has taken its path".clone_into(&mut reason),
                Err(error) => reason = error.to_string(),
            },
            Err(error) if reason.is_empty() || place == path => reason = error.to_string(),
            Err(_) => {}
        }
    }
    Err(format!("the file could not be opened in time: {reason}"))
}

/// Opens a regular file for reading, without touching anything else: opening a
/// device can have effects.
fn open_regular(path: &str) -> io::Result<File> {
    let handle = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_PATH | libc::O_CLOEXEC)
        .open(path)?;
    if !handle.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    // Not to wait for whoever has a lease on it.
    OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC)
        .open(format!("/proc/self/fd/{}", handle.as_raw_fd()))
}
