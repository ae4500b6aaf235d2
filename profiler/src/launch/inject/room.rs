//! How much memory a process may still populate, and whether that was too little.

use std::{
    fs,
    path::{Path, PathBuf},
};

use nix::unistd::Pid;

use crate::sys::proc;

/// The room that the machine and a process's control groups have.
#[derive(Clone, Debug)]
pub(super) struct Room {
    /// The least of them, in bytes, and whose it is. Nothing if that cannot be
    /// told.
    least: Option<(u64, String)>,
    /// Processes killed for want of memory so far, on the whole machine.
    killed: Option<u64>,
}

/// Where a version of control groups says what they may have, and what they have.
struct Files {
    limit: &'static str,
    usage: &'static str,
    /// Pages of files, in `memory.stat`: the kernel takes them back before it
    /// kills anybody.
    reclaimable: [&'static str; 2],
}

const VERSION_1: Files = Files {
    limit: "memory.limit_in_bytes",
    usage: "memory.usage_in_bytes",
    reclaimable: ["total_inactive_file", "total_active_file"],
};
const VERSION_2: Files = Files {
    limit: "memory.max",
    usage: "memory.current",
    reclaimable: ["inactive_file", "active_file"],
};

impl Room {
    /// The room that a process has now.
    pub(super) fn of(pid: Pid) -> Self {
        Self {
            least: least(pid),
            killed: kills(),
        }
    }

    /// Why so much memory must not be populated, if so.
    pub(super) fn is_too_small_for(&self, needed_bytes: u64) -> Option<String> {
        let (room, whose) = self.least.as_ref()?;
        (needed_bytes > *room).then(|| {
            format!(
                "it maps {} MiB of memory and {whose} has room for {}: populating all of it \
                 would run out",
                needed_bytes >> 20,
                room >> 20
            )
        })
    }

    /// Of a process that was killed: what is to be said if the kernel has killed
    /// for want of memory since.
    pub(super) fn ran_out(&self) -> Option<String> {
        let (room, whose) = self.least.as_ref()?;
        (kills()? > self.killed?).then(|| {
            format!(
                "with all of its memory populated the kernel killed it for want of memory; \
                 {whose} had room for {} MiB when it started",
                room >> 20
            )
        })
    }
}

fn kills() -> Option<u64> {
    number_after(&fs::read_to_string("/proc/vmstat").ok()?, "oom_kill")
}

/// The number on the line that begins with a word.
fn number_after(text: &str, word: &str) -> Option<u64> {
    let mut lines = text.lines().map(str::split_whitespace);
    lines.find_map(|mut words| {
        (words.next()? == word)
            .then(|| words.next()?.parse().ok())
            .flatten()
    })
}

fn least(pid: Pid) -> Option<(u64, String)> {
    let machine = fs::read_to_string("/proc/meminfo")
        .ok()
        .and_then(|text| number_after(&text, "MemAvailable:"))
        .map(|kib| (kib * 1024, "this machine".to_owned()));
    let groups = proc::text(format!("/proc/{pid}/cgroup")).unwrap_or_default();
    let of_groups = groups.lines().flat_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next().unwrap_or(""), parts.next().unwrap_or("/"));
        match controllers {
            "" => rooms_up("/sys/fs/cgroup", path, &VERSION_2),
            _ if controllers.split(',').any(|name| name == "memory") => {
                rooms_up("/sys/fs/cgroup/memory", path, &VERSION_1)
            }
            _ => Vec::new(),
        }
    });
    let all = machine.into_iter().chain(of_groups);
    all.min_by_key(|(room, _)| *room)
}

/// The room of a control group and of those that it is in.
fn rooms_up(root: &str, path: &str, files: &Files) -> Vec<(u64, String)> {
    let mut found = Vec::new();
    let mut folder = Path::new(root).join(path.trim_start_matches('/'));
    while folder.starts_with(root) {
        if let Some(room) = room_in(&folder, files) {
            found.push((room, format!("the control group {}", folder.display())));
        }
        if !folder.pop() {
            break;
        }
    }
    found
}

fn room_in(folder: &Path, files: &Files) -> Option<u64> {
    let number = |file: PathBuf| fs::read_to_string(file).ok()?.trim().parse::<u64>().ok();
    let limit = number(folder.join(files.limit))?;
    let usage = number(folder.join(files.usage))?;
    let details = fs::read_to_string(folder.join("memory.stat")).unwrap_or_default();
    let reclaimable: u64 = files
        .reclaimable
        .iter()
        .filter_map(|word| number_after(&details, word))
        .sum();
    Some(limit.saturating_sub(usage.saturating_sub(reclaimable)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A group whose memory is full of files read has room; one without a limit
    /// is no reason for anything.
    #[test]
    fn file_pages_are_room() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            fs::write(folder.path().join(name), text).expect("written");
        };
        write("memory.max", "1000\n");
        write("memory.current", "900\n");
        let room = || room_in(folder.path(), &VERSION_2);
        assert_eq!(room(), Some(100));
        write(
            "memory.stat",
            "anon 200\nfile 700\ninactive_file 600\nactive_file 50\n",
        );
        assert_eq!(room(), Some(750));
        write("memory.max", "max\n");
        assert_eq!(room(), None);
    }
}
