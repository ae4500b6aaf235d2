//! The folder through which a guest and the lab speak with one another.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::script::Script;
use crate::lab::cache;
use crate::lab::tools;

const GUEST: &str = include_str!("guest.sh");
/// The folder's path in the guest.
pub(in crate::lab) const IN_GUEST: &str = "/modeswitch-lab";

/// Its path here.
#[derive(Debug)]
pub(super) struct Share {
    folder: PathBuf,
}

impl Share {
    pub(super) fn create(folder: PathBuf, script: &Script) -> Result<Self> {
        let share = Self { folder };
        cache::create(&share.results())?;
        share.write("guest.sh", GUEST.as_bytes())?;
        share.write("command.sh", &script.render())?;
        let busybox = tools::find("busybox").context("no busybox")?;
        let copy = share.folder.join("busybox");
        fs::copy(&busybox, &copy).with_context(|| format!("cannot write {}", copy.display()))?;
        Ok(share)
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<()> {
        let path = self.folder.join(name);
        fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))
    }

    pub(super) fn path(&self) -> &Path {
        &self.folder
    }

    pub(super) fn stdout(&self) -> PathBuf {
        self.folder.join("stdout")
    }

    pub(super) fn stderr(&self) -> PathBuf {
        self.folder.join("stderr")
    }

    /// What the command left behind.
    pub(super) fn results(&self) -> PathBuf {
        self.folder.join("results")
    }

    /// The command's exit status, once it has ended.
    pub(super) fn status(&self) -> Option<u8> {
        let text = fs::read_to_string(self.folder.join("status")).ok()?;
        text.trim().parse().ok()
    }

    /// A number that grows as long as the guest is alive.
    pub(super) fn heartbeat(&self) -> Option<u64> {
        let text = fs::read_to_string(self.folder.join("heartbeat")).ok()?;
        text.trim().parse().ok()
    }
}
