//! The workspace that this program was built in, and who runs it.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use modeswitch_object::{pins, workspace::Workspace};

/// The workspace, as the eBPF object's crate sees it.
pub(crate) fn here() -> Workspace {
    Workspace::new(root())
}

pub(crate) fn root() -> PathBuf {
    // Asked at run time where possible: the workspace may have been moved
    // since this program was compiled.
    let manifest = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    manifest
        .parent()
        .map_or(manifest.clone(), Path::to_path_buf)
}

/// Where cargo puts what it builds.
pub(crate) fn target_dir() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// The packages that a host can build, as arguments for cargo.
pub(crate) const HOST_PACKAGES: [&str; 3] = ["--workspace", "--exclude", pins::PACKAGE];

/// The cargo that runs this program, in the workspace.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// How this process can act as root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RootAccess {
    Root,
    /// By a `sudo` that asks for no password.
    Sudo,
    None,
}

pub(crate) fn root_access() -> RootAccess {
    let succeeds = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null());
        let output = command.output().ok().filter(|o| o.status.success());
        output.map(|output| output.stdout)
    };
    if succeeds("id", &["-u"]).is_some_and(|uid| uid == b"0\n") {
        RootAccess::Root
    } else if succeeds("sudo", &["-n", "true"]).is_some() {
        RootAccess::Sudo
    } else {
        RootAccess::None
    }
}
