//! Where the things that matter for the eBPF object are in the workspace.

use std::path::{Path, PathBuf};

use super::pins;

/// The workspace, as far as the eBPF object is concerned.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    pub(crate) fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn root_manifest(&self) -> PathBuf {
        self.root.join("Cargo.toml")
    }

    pub(crate) fn lockfile(&self) -> PathBuf {
        self.root.join("Cargo.lock")
    }

    /// The folder of a workspace member: all of ours are named after it.
    pub(crate) fn member(&self, package: &str) -> PathBuf {
        self.root.join(package)
    }

    /// The object that is checked in.
    pub(crate) fn object(&self) -> PathBuf {
        self.member(pins::PACKAGE).join("prebuilt/modeswitch.bpf.o")
    }

    /// The hashes of what that object was built from.
    pub(crate) fn record(&self) -> PathBuf {
        self.member(pins::PACKAGE).join("prebuilt/sources.sha256")
    }
}
