//! The kernel's own counters of page faults: perf events that count, run no
//! program and lose nothing.

use std::{
    fs::File,
    io::{self, Read},
};

use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use super::perf_event::{self, PERF_COUNT_SW_PAGE_FAULTS, PERF_COUNT_SW_PAGE_FAULTS_MAJ, Subject};

/// What the kernel has counted of a command and all that it created: faults from
/// user mode only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultCounts {
    /// All page faults, also those that were violations.
    pub all: u64,
    /// Those that had to be waited for.
    pub major: u64,
}

/// Two counters of a command that has yet to be executed.
pub struct FaultCounters {
    all: File,
    major: File,
}

impl FaultCounters {
    /// Sets them up for a process. They begin when it next executes a program.
    ///
    /// # Errors
    /// If the kernel refuses.
    pub fn open(pid: Pid) -> io::Result<Self> {
        Ok(Self {
            all: open(pid, PERF_COUNT_SW_PAGE_FAULTS)?,
            major: open(pid, PERF_COUNT_SW_PAGE_FAULTS_MAJ)?,
        })
    }

    /// What they have counted.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn read(&mut self) -> io::Result<FaultCounts> {
        Ok(FaultCounts {
            all: read(&mut self.all)?,
            major: read(&mut self.major)?,
        })
    }
}

fn open(pid: Pid, event: u32) -> io::Result<File> {
    let mut attributes = perf_event::software(event);
    attributes.set_disabled(1);
    attributes.set_enable_on_exec(1);
    attributes.set_inherit(1);
    attributes.set_exclude_kernel(1);
    attributes.set_exclude_hv(1);
    perf_event::open(attributes, Subject::Process(pid.as_raw()))
}

fn read(counter: &mut File) -> io::Result<u64> {
    let mut bytes = [0; 8];
    counter.read_exact(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}
