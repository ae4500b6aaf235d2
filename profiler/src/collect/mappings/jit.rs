//! Where programs that make code as they run leave its names: `perf-PID.map` in
//! their temporary folder, the convention of the perf tool.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::Read,
    os::{fd::AsRawFd, unix::fs::OpenOptionsExt},
};

/// Processes whose folder is kept.
const MOST: usize = 64;
/// Bytes of one map that are read: hostile programs write what they like.
const MOST_BYTES: u64 = 64 << 20;

/// A process's temporary folder and its number in its own namespace.
#[derive(Debug)]
struct Place {
    folder: File,
    number: u32,
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
            let number = own_number(tgid).unwrap_or(tgid);
            self.places.insert(tgid, Place { folder, number });
        }
    }

    /// The text of a process's map, if it left one.
    ///
    /// # Errors
    /// Why there is none.
    pub fn read(&self, tgid: u32) -> std::io::Result<String> {
        let path = match self.places.get(&tgid) {
            Some(Place { folder, number }) => {
                format!("/proc/self/fd/{}/perf-{number}.map", folder.as_raw_fd())
            }
            None => format!("/tmp/perf-{tgid}.map"),
        };
        // Neither a link to elsewhere nor a pipe that never ends.
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC)
            .open(path)?;
        if !file.metadata()?.is_file() {
            return Err(std::io::Error::other("it is not a regular file"));
        }
        let mut bytes = Vec::new();
        file.take(MOST_BYTES).read_to_end(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// A process's number in the innermost pid namespace that it is in.
fn own_number(tgid: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{tgid}/status")).ok()?;
    let numbers = status
        .lines()
        .find_map(|line| line.strip_prefix("NSpid:"))?;
    numbers.split_ascii_whitespace().last()?.parse().ok()
}
