//! May this process load and attach the programs?

use std::{
    fs,
    path::{Path, PathBuf},
};

use nix::unistd::Pid;

use crate::{error::Error, sys::proc::Status};

/// Capability numbers, from `include/uapi/linux/capability.h`.
const CAP_SYS_PTRACE: u32 = 19;
const CAP_SYS_ADMIN: u32 = 21;
const CAP_PERFMON: u32 = 38;
const CAP_BPF: u32 = 39;

/// The inode of the first pid namespace, fixed by the kernel.
const INITIAL_PID_NAMESPACE: &str = "pid:[4026531836]";

/// Checks what can be checked before the kernel is asked.
///
/// # Errors
/// [`Error::Environment`], naming what is missing and how to get it.
pub fn check() -> Result<(), Error> {
    let missing = missing_capabilities(has_capability);
    if !missing.is_empty() {
        return Err(Error::Environment(format!(
            "counting kernel entries needs the capabilities {}, which this user does not have: \
             run modeswitch with sudo, or let a group of users have them, who can then watch \
             everybody's programs: `{}`",
            missing.join(" and "),
            grant(&this_program())
        )));
    }
    let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let namespace = namespace.to_string_lossy();
    if !namespace.is_empty() && namespace != INITIAL_PID_NAMESPACE {
        return Err(Error::Environment(
            "modeswitch is running in a pid namespace of its own, where it cannot tell its \
             target's threads from others: run it on the host, or give the container the host's \
             pid namespace (`--pid=host`)"
                .to_owned(),
        ));
    }
    Ok(())
}

/// This very file, wherever it was started from.
fn this_program() -> PathBuf {
    std::env::current_exe().unwrap_or_else(|_unknown| "/path/to/modeswitch".into())
}

/// What gives a program's capabilities to a group, and to nobody else.
fn grant(program: &Path) -> String {
    let program = program.to_string_lossy();
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+".contains(letter);
    let program = if program.chars().all(is_plain) {
        program.into_owned()
    } else {
        format!("'{}'", program.replace('\'', r"'\''"))
    };
    format!(
        "sudo chgrp GROUP {program} && sudo chmod 0750 {program} && sudo setcap \
         cap_bpf,cap_perfmon,cap_syslog=ep {program}"
    )
}

/// Checks that whoever runs this may look into a process: what the kernel would
/// check before letting them trace it.
///
/// # Errors
/// [`Error::Environment`] if they may not, [`Error::Usage`] if there is no such
/// process.
pub fn check_may_watch(pid: Pid) -> Result<(), Error> {
    // Opening it is all that is checked, and does nothing. Of a thread that has
    // ended there is no memory, and the first of a process may have.
    let opened = fs::read_dir(format!("/proc/{pid}/task")).and_then(|threads| {
        let mut gone = std::io::Error::from_raw_os_error(nix::libc::ESRCH);
        for thread in threads {
            match fs::File::open(thread?.path().join("mem")) {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
                    return Err(error);
                }
                Err(error) => gone = error,
            }
        }
        Err(gone)
    });
    match opened {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            Err(Error::Environment(format!(
                "this user may not trace process {pid}, and so may not watch it: it belongs to \
                 another user, has more rights, or the kernel lets only parents trace \
                 (`sysctl kernel.yama.ptrace_scope`): run modeswitch with sudo"
            )))
        }
        Err(error) => Err(Error::Usage(format!(
            "cannot attach to process {pid}: {error}: is it still running?"
        ))),
    }
}

/// Whether this process may trace any other, and a program so traced keeps the
/// privileges of its file.
#[must_use]
pub fn may_trace_anybody() -> bool {
    has_capability(CAP_SYS_PTRACE)
}

/// Whether this process has a capability in effect.
fn has_capability(capability: u32) -> bool {
    Status::own().is_ok_and(|status| status.has_capability(capability))
}

/// Names of the capabilities that are needed and not there.
fn missing_capabilities(has: impl Fn(u32) -> bool) -> Vec<&'static str> {
    if has(CAP_SYS_ADMIN) {
        return Vec::new();
    }
    [(CAP_BPF, "CAP_BPF"), (CAP_PERFMON, "CAP_PERFMON")]
        .into_iter()
        .filter(|(capability, _)| !has(*capability))
        .map(|(_, name)| name)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Root has everything, nobody nothing, and the two small capabilities do.
    #[test]
    fn small_capabilities_are_enough() {
        let missing = |had: &[u32]| missing_capabilities(|capability| had.contains(&capability));
        assert!(missing(&[CAP_SYS_ADMIN]).is_empty());
        assert!(missing(&[CAP_BPF, CAP_PERFMON]).is_empty());
        assert_eq!(missing(&[CAP_BPF]), ["CAP_PERFMON"]);
        assert_eq!(missing(&[]), ["CAP_BPF", "CAP_PERFMON"]);
    }

    /// The hint can be pasted into a shell, whatever the folder is called.
    #[test]
    fn the_hint_names_this_program() {
        let grant = grant(Path::new("/a b/it's/modeswitch"));
        assert!(
            grant.contains(r"chmod 0750 '/a b/it'\''s/modeswitch' &&"),
            "{grant}"
        );
        assert!(this_program().is_absolute());
    }
}
