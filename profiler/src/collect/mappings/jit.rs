//! Where programs that make code as they run leave its names: `perf-PID.map` in
//! their temporary folder, the convention of the perf tool.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::{Error, Read, Result},
    os::{
        fd::AsRawFd,
        unix::fs::{MetadataExt, OpenOptionsExt},
    },
};

use nix::unistd::geteuid;

use crate::sys::proc::Status;

/// Processes whose folder is kept.
const MOST: usize = 64;
/// Bytes of one map that are read: hostile programs write what they like.
const MOST_BYTES: u64 = 64 << 20;

/// A process's temporary folder, its number in its own namespace, and its users.
#[derive(Debug)]
struct Place {
    folder: File,
    number: u32,
    users: Vec<u32>,
}

/// Folders by process, kept since the first code that came from no file.
#[derive(Debug, Default)]
pub struct JitMaps {
    places: BTreeMap<u32, Place>,
}

impl JitMaps {
    /// Keeps the folder of a living process, unless it is kept already.
    pub(super) fn keep(&mut self, tgid: u32) {
        if self.places.len() >= MOST || self.places.contains_key(&tgid) {
            return;
        }
        let opened = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC)
            .open(format!("/proc/{tgid}/root/tmp"));
        if let Ok(folder) = opened {
            let status = Status::of(tgid).ok();
            let numbers = |name| status.iter().flat_map(move |it| it.numbers(name));
            let place = Place {
                folder,
                // The last one is of the innermost namespace.
                number: numbers("NSpid").last().unwrap_or(tgid),
                // Who started it, and whose rights it has.
                users: numbers("Uid").collect(),
            };
            self.places.insert(tgid, place);
        }
    }

    /// The text of a process's map, if it left one.
    ///
    /// # Errors
    /// Why there is none.
    pub fn read(&self, tgid: u32) -> Result<String> {
        let (path, users) = match self.places.get(&tgid) {
            Some(place) => {
                let fd = place.folder.as_raw_fd();
                let path = format!("/proc/self/fd/{fd}/perf-{}.map", place.number);
                (path, place.users.as_slice())
            }
            None => (format!("/tmp/perf-{tgid}.map"), [].as_slice()),
        };
        // Neither a link to elsewhere nor a pipe that never ends.
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC)
            .open(path)
            .map_err(|error| match error.raw_os_error() {
                Some(libc::ELOOP) => Error::other("its map is a symbolic link, which is not read"),
                _ => error,
            })?;
        let found = file.metadata()?;
        if !found.is_file() {
            return Err(Error::other("its map is not a regular file"));
        }
        // In a folder that anybody may write to, strangers could name its code, and
        // links of theirs could show us files that are not for them.
        let owner = found.uid();
        if owner != 0 && owner != geteuid().as_raw() && !users.contains(&owner) {
            return Err(Error::other(format!(
                "its map belongs to user {owner}, who is not the program's"
            )));
        }
        if found.nlink() > 1 {
            return Err(Error::other("its map has other names, too"));
        }
        let mut bytes = Vec::new();
        file.take(MOST_BYTES).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}
