//! How much memory the command holds, seen from outside.

use std::collections::BTreeMap;

use nix::unistd::Pid;

use super::snapshot::ProcessMemory;

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
    by_process: BTreeMap<u32, ProcessMemory>,
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

    /// The most that was seen, added up over the processes. Nothing of a run
    /// that was over too soon.
    #[must_use]
    pub fn most(&self) -> Option<ProcessMemory> {
        let mut sum = ProcessMemory::default();
        for process in self.by_process.values() {
            sum.resident_bytes += process.resident_bytes;
            sum.locked_bytes += process.locked_bytes;
            sum.writable_bytes += process.writable_bytes;
        }
        (self.looks >= ENOUGH && !self.by_process.is_empty()).then_some(sum)
    }

    fn take(&mut self, tid: u32) {
        let Ok(status) = std::fs::read_to_string(format!("/proc/{tid}/status")) else {
            return;
        };
        let Some((process, now)) = understand(&status) else {
            return;
        };
        let most = self.by_process.entry(process).or_default();
        most.resident_bytes = most.resident_bytes.max(now.resident_bytes);
        most.locked_bytes = most.locked_bytes.max(now.locked_bytes);
        most.writable_bytes = most.writable_bytes.max(now.writable_bytes);
    }
}

/// The process of a status file and its memory. Nothing of one that has ended.
fn understand(status: &str) -> Option<(u32, ProcessMemory)> {
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u64>().ok()
    };
    let bytes = |name: &str| field(name).map(|kib| kib * 1024);
    let process = u32::try_from(field("Tgid:")?).ok()?;
    Some((
        process,
        ProcessMemory {
            resident_bytes: bytes("VmHWM:")?,
            locked_bytes: bytes("VmLck:")?,
            writable_bytes: bytes("VmData:")? + bytes("VmStk:")?,
        },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields are read, and a process that has ended has none.
    #[test]
    fn a_status_file_is_understood() {
        let text = "Name:\tx\nTgid:\t7\nVmPeak:\t99 kB\nVmLck:\t 8 kB\nVmHWM:\t 16 kB\n\
                    VmData:\t 32 kB\nVmStk:\t 4 kB\n";
        let (process, memory) = understand(text).expect("understood");
        assert_eq!(process, 7);
        assert_eq!(memory.resident_bytes, 16_384);
        assert_eq!(memory.locked_bytes, 8_192);
        assert_eq!(memory.writable_bytes, 36_864);
        assert!(understand("Name:\tx\nTgid:\t7\nState:\tZ (zombie)\n").is_none());
    }
}
