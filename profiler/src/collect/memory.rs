//! How much memory the command holds, seen from outside.

use std::collections::BTreeMap;

use nix::unistd::Pid;

use crate::{
    document::run::ProcessMemory,
    sys::proc::{self, Status},
};

/// Looks at more than the command itself come this much apart at last.
const RARELY: u32 = 20;

/// Looks after which the numbers mean something: of a program that is gone in a
/// moment, the last look shows anything but its most.
const ENOUGH: u32 = 10;

/// Looks at processes now and then, and keeps the most of each.
#[derive(Debug, Default)]
pub struct MemoryWatch {
    command: Option<u32>,
    looks: u32,
    /// Whether the command was looked at as it ended.
    saw_the_end: bool,
    by_process: BTreeMap<u32, Held>,
}

/// The most that was seen of one process.
#[derive(Debug, Default)]
struct Held {
    memory: Seen,
    populatable_bytes: Option<u64>,
    /// Locked at most, where that is certain.
    locked_bytes: Option<u64>,
}

/// What a status file says, in bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    resident: u64,
    locked: u64,
    writable: u64,
    mapped: u64,
    mapped_most: u64,
}

impl MemoryWatch {
    /// Begins to look at a command.
    pub fn follow(&mut self, pid: Pid) {
        self.command = Some(pid.as_raw().unsigned_abs());
    }

    /// Looks at the command. Whether it is time to look at all its threads, too:
    /// less and less often, since there may be many.
    pub fn is_due(&mut self) -> bool {
        let Some(command) = self.command else {
            return false;
        };
        self.take(command);
        self.looks += 1;
        self.looks.is_power_of_two() || self.looks.is_multiple_of(RARELY)
    }

    /// Looks at the processes of these threads.
    pub fn look(&mut self, threads: &[u32]) {
        for &thread in threads {
            self.take(thread);
        }
    }

    /// Looks at a process for the last time: this thread of it is stopped just
    /// before its end. Of a process of several threads, its first one counts. If
    /// its memory was locked from its beginning, so much was left out.
    pub fn ending(&mut self, tid: u32, unlocked_bytes: Option<u64>) {
        let maps = proc::text(format!("/proc/{tid}/maps"));
        let (Ok(status), Ok(maps)) = (Status::of(tid), maps) else {
            return;
        };
        let Some((process, now)) = understand(&status).filter(|(process, _)| *process == tid)
        else {
            return;
        };
        let most = self.keep(process, now);
        let populatable = now.mapped_most.saturating_sub(out_of_reach_bytes(&maps));
        most.populatable_bytes = Some(populatable);
        // What a program unlocks, or maps and the kernel does not lock, shows here.
        let unlocked = now.mapped.saturating_sub(now.locked);
        most.locked_bytes = unlocked_bytes
            .filter(|&left_out| left_out == unlocked)
            .map(|left_out| now.mapped_most.saturating_sub(left_out));
        self.saw_the_end |= self.command == Some(process);
    }

    /// The most that was seen, added up over the processes. Nothing of a run
    /// that was over too soon to be looked at.
    #[must_use]
    pub fn most(&self) -> Option<ProcessMemory> {
        let mut sum = ProcessMemory::default();
        let mut locked = Some(0);
        for process in self.by_process.values() {
            sum.resident_bytes += process.memory.resident;
            sum.writable_bytes += process.memory.writable;
            let seen = (self.looks >= ENOUGH).then_some(process.memory.locked);
            let most = process.locked_bytes.or(seen);
            locked = locked.zip(most).map(|(sum, most)| sum + most);
            if let Some(bytes) = process.populatable_bytes {
                *sum.populatable_bytes.get_or_insert(0) += bytes;
            }
        }
        sum.locked_bytes = locked;
        let is_enough = self.looks >= ENOUGH || self.saw_the_end;
        (is_enough && !self.by_process.is_empty()).then_some(sum)
    }

    fn take(&mut self, tid: u32) {
        let Ok(status) = Status::of(tid) else {
            return;
        };
        if let Some((process, now)) = understand(&status) {
            self.keep(process, now);
        }
    }

    fn keep(&mut self, process: u32, now: Seen) -> &mut Held {
        let held = self.by_process.entry(process).or_default();
        let most = &mut held.memory;
        most.resident = most.resident.max(now.resident);
        most.locked = most.locked.max(now.locked);
        most.writable = most.writable.max(now.writable);
        held
    }
}

/// The process of a status file and its memory. Nothing of one that has ended.
fn understand(status: &Status) -> Option<(u32, Seen)> {
    let bytes = |name| status.bytes(name);
    Some((
        status.process()?,
        Seen {
            resident: bytes("VmHWM")?,
            locked: bytes("VmLck")?,
            writable: bytes("VmData")? + bytes("VmStk")?,
            mapped: bytes("VmSize")?,
            mapped_most: bytes("VmPeak")?,
        },
    ))
}

/// Of a list of mappings, what nobody may access: reserved, and never populated.
fn out_of_reach_bytes(maps: &str) -> u64 {
    let size = |line: &str| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let number = |text| u64::from_str_radix(text, 16).ok();
        rest.starts_with("---")
            .then(|| number(end)?.checked_sub(number(start)?))
            .flatten()
    };
    maps.lines().filter_map(size).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields are read, and a process that has ended has none.
    #[test]
    fn a_status_file_is_understood() {
        let text = "Name:\tx\nTgid:\t7\nVmPeak:\t99 kB\nVmSize:\t98 kB\nVmLck:\t 8 kB\nVmHWM:\t 16 kB\n\
                    VmData:\t 32 kB\nVmStk:\t 4 kB\n";
        let (process, memory) = understand(&text.into()).expect("understood");
        assert_eq!(process, 7);
        assert_eq!(memory.resident, 16_384);
        assert_eq!(memory.locked, 8_192);
        assert_eq!(memory.writable, 36_864);
        assert_eq!((memory.mapped, memory.mapped_most), (100_352, 101_376));
        assert!(understand(&"Name:\tx\nTgid:\t7\nState:\tZ (zombie)\n".into()).is_none());
    }
    /// What is reserved without access is no memory to come.
    #[test]
    fn reservations_are_told_from_memory() {
        let maps = "00400000-00401000 r-xp 00000000 fe:00 1 /bin/x\n\
                    7f0000000000-7f0000003000 ---p 00000000 00:00 0 \n\
                    7f0000003000-7f0000004000 rw-p 00000000 00:00 0 \n";
        assert_eq!(out_of_reach_bytes(maps), 0x3000);
    }
}
