//! Opening software perf events.

use std::{
    fs::File,
    io,
    os::fd::{FromRawFd, RawFd},
};

pub use perf::bindings::{
    PERF_COUNT_SW_DUMMY, PERF_COUNT_SW_PAGE_FAULTS, PERF_COUNT_SW_PAGE_FAULTS_MAJ,
    PERF_SAMPLE_TIME, perf_event_attr as Attributes, perf_event_mmap_page as ControlPage,
};
use perf_event_open_sys as perf;

/// Whom an event is about.
#[derive(Clone, Copy, Debug)]
pub enum Subject {
    /// A process, wherever it runs.
    Process(i32),
    /// A process while it is on this CPU, and what it creates.
    ProcessOn {
        /// The process.
        pid: i32,
        /// The CPU.
        cpu: i32,
    },
    /// Whoever is on this CPU.
    Cpu(i32),
}

/// Older kernels know fewer attributes, and take the others as long as they are zero.
#[expect(clippy::cast_possible_truncation, reason = "it is about a hundred")]
const SIZE: u32 = size_of::<Attributes>() as u32;

/// The attributes of a software event that does nothing yet.
#[must_use]
pub fn software(event: u32) -> Attributes {
    Attributes {
        size: SIZE,
        type_: perf::bindings::PERF_TYPE_SOFTWARE,
        config: u64::from(event),
        ..Attributes::default()
    }
}

/// Opens an event. Its file is closed when a program is executed.
///
/// # Errors
/// If the kernel refuses.
pub fn open(mut attributes: Attributes, subject: Subject) -> io::Result<File> {
    let (pid, cpu) = match subject {
        Subject::Process(pid) => (pid, -1),
        Subject::ProcessOn { pid, cpu } => (pid, cpu),
        Subject::Cpu(cpu) => (-1, cpu),
    };
    let flags = perf::bindings::PERF_FLAG_FD_CLOEXEC.into();
    // SAFETY: the attributes are alive and as large as they say.
    let file: RawFd = unsafe { perf::perf_event_open(&raw mut attributes, pid, cpu, -1, flags) };
    if file < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the file was just opened and nobody else knows of it.
    Ok(unsafe { File::from_raw_fd(file) })
}
