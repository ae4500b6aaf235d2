//! Programs whose files grant privileges: setuid, setgid, or with capabilities.

use std::{
    ffi::CString,
    fs,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::Path,
};

use crate::sys::privileges;

/// The set-user-id and set-group-id bits of a file's mode.
const SET_ID: u32 = 0o6000;

/// What a program loses by being followed, if anything: the kernel starts it
/// without what its file grants, unless who follows it has `CAP_SYS_PTRACE`.
#[must_use]
pub fn lost_by_tracing(path: &Path) -> Option<String> {
    let what = grant(path).filter(|_| !privileges::may_trace_anybody())?;
    Some(format!(
        "its file {what}, and the kernel starts such a program without these privileges when it \
         is traced by who lacks CAP_SYS_PTRACE: run modeswitch with sudo (`--user` keeps the \
         command's own user)"
    ))
}

/// What privileges a file grants, in words.
fn grant(path: &Path) -> Option<&'static str> {
    let mode = fs::metadata(path).ok()?.permissions().mode();
    if mode & SET_ID != 0 {
        return Some("is setuid or setgid");
    }
    has_capabilities(path).then_some("has capabilities")
}

fn has_capabilities(path: &Path) -> bool {
    let Ok(path) = CString::new(path.as_os_str().as_bytes()) else {
        return false;
    };
    let name = c"security.capability".as_ptr();
    // SAFETY: both names end with a null byte, and no value is asked for.
    let bytes = unsafe { libc::getxattr(path.as_ptr(), name, std::ptr::null_mut(), 0) };
    bytes > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Set-user-id and set-group-id files are found, others are not.
    #[test]
    fn files_that_grant_privileges_are_found() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        for (mode, grants) in [(0o755, false), (0o4755, true), (0o2755, true)] {
            let permissions = fs::Permissions::from_mode(mode);
            fs::set_permissions(file.path(), permissions).expect("ours");
            assert_eq!(grant(file.path()).is_some(), grants, "{mode:o}");
        }
    }
}
