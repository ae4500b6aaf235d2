//! A control group with little memory.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A group of this test's own, removed with it.
pub(crate) struct ControlGroup {
    folder: PathBuf,
}

impl ControlGroup {
    /// A group that may have so many bytes of memory; or why there is none.
    pub(crate) fn with_memory(bytes: u64) -> Result<Self, String> {
        let root = Path::new("/sys/fs/cgroup");
        let (parent, limit) = if root.join("cgroup.controllers").exists() {
            let _it_may_be_there = fs::write(root.join("cgroup.subtree_control"), "+memory");
            (root.to_owned(), "memory.max")
        } else {
            (root.join("memory"), "memory.limit_in_bytes")
        };
        let folder = parent.join(format!("modeswitch-test-{}", std::process::id()));
        fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let group = Self { folder };
        let limit = group.folder.join(limit);
        fs::write(&limit, bytes.to_string())
            .map_err(|error| format!("{}: {error}", limit.display()))?;
        Ok(group)
    }

    /// The file to which a process writes its number to get in.
    pub(crate) fn members(&self) -> PathBuf {
        self.folder.join("cgroup.procs")
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        let _its_last_process_may_still_be_there = fs::remove_dir(&self.folder);
    }
}
