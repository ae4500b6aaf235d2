//! Handing the summary to the profiler that started us.

use std::{
    ffi::CStr,
    fs::File,
    io,
    os::{
        fd::{BorrowedFd, RawFd},
        unix::fs::FileExt,
    },
};

use crate::summary::IoSummary;

/// The environment variable that holds the descriptor to write the summary to.
pub const FD_VARIABLE: &str = "MODESWITCH_METRICS_FD";
/// The name of the memory behind it. Nothing else is written to: a program may
/// inherit the variable and not the descriptor.
pub const FILE_NAME: &CStr = c"modeswitch-metrics";

/// Writes the summary as JSON to the file that [`FD_VARIABLE`] names, from its
/// beginning and with nothing behind it. Does nothing where it is not set.
pub(crate) fn hand_over(summary: &IoSummary) -> io::Result<()> {
    let Some(fd) = std::env::var_os(FD_VARIABLE) else {
        return Ok(());
    };
    let fd: RawFd = fd
        .to_str()
        .and_then(|text| text.parse().ok())
        .filter(|&fd| fd >= 0)
        .ok_or_else(|| io::Error::other(format!("{FD_VARIABLE} is no descriptor number")))?;
    let found = std::fs::read_link(format!("/proc/self/fd/{fd}"))?;
    let ours = format!("/memfd:{} (deleted)", FILE_NAME.to_string_lossy());
    if found.as_os_str() != ours.as_str() {
        return Err(io::Error::other(format!(
            "descriptor {fd} of {FD_VARIABLE} is something else by now: {}",
            found.display()
        )));
    }
    // SAFETY: the descriptor is borrowed for this call only, and a number that
    // is not open is refused by the kernel.
    let borrowed = unsafe { BorrowedFd::borrow_raw(fd) };
    let file = File::from(borrowed.try_clone_to_owned()?);
    let json = serde_json::to_vec(summary)?;
    file.set_len(0)?;
    file.write_all_at(&json, 0)
}
