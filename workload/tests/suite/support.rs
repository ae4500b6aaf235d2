//! Starting the program, and descriptors for it to inherit.

use std::{
    fs::File,
    os::{fd::AsRawFd, unix::fs::FileExt},
    process::{Command, Output},
};

use profiler_common::phase::{MAGIC, MAGIC_OFFSET};

/// The exit code for "this environment cannot do it".
const CANNOT: i32 = 3;

pub(crate) fn workload(options: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_workload"));
    command.args(options.split_whitespace());
    command
}

/// Runs to the end. `None`, with the program's own reason on stderr, where
/// this machine cannot do it.
pub(crate) fn finished(command: &mut Command) -> Option<Output> {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.code() == Some(CANNOT) {
        eprintln!("skipped: {errors}");
        return None;
    }
    assert!(output.status.success(), "{:?}: {errors}", output.status);
    Some(output)
}

/// A file without a name that programs started from now on inherit.
pub(crate) fn inherited_file() -> File {
    let file = tempfile::tempfile().unwrap();
    // SAFETY: changing the flags of our own descriptor touches no memory.
    let result = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETFD, 0) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
    file
}

/// Memory with a name that programs started from now on inherit.
pub(crate) fn inherited_memory(name: &std::ffi::CStr) -> File {
    // SAFETY: the name is terminated, and the result is checked.
    let fd = unsafe { libc::memfd_create(name.as_ptr(), 0) };
    assert!(fd >= 0, "{}", std::io::Error::last_os_error());
    // SAFETY: the call just before made this descriptor for us alone.
    unsafe { std::os::fd::FromRawFd::from_raw_fd(fd) }
}

/// A phase page that programs started from now on inherit.
pub(crate) fn inherited_page() -> File {
    let page = inherited_file();
    page.write_all_at(&MAGIC, MAGIC_OFFSET as u64).unwrap();
    page
}

pub(crate) fn word(file: &File, offset: usize) -> u32 {
    let mut bytes = [0; 4];
    file.read_exact_at(&mut bytes, offset as u64).unwrap();
    u32::from_ne_bytes(bytes)
}

pub(crate) fn wide(file: &File, offset: usize) -> u64 {
    let mut bytes = [0; 8];
    file.read_exact_at(&mut bytes, offset as u64).unwrap();
    u64::from_ne_bytes(bytes)
}
