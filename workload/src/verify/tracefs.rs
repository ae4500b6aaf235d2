//! The kernel's tracing files, mounted or not.

use std::{
    fs, io,
    os::fd::{AsRawFd, OwnedFd},
    path::{Path, PathBuf},
};

use crate::sys::files;

/// Where systems mount it.
const USUAL_PLACE: &str = "/sys/kernel/tracing";

/// A way to the tracing files.
#[derive(Debug)]
pub(crate) enum Tracefs {
    /// The system's own mount.
    Mounted,
    /// A mount of ours that hangs in no directory and ends with us.
    Private(OwnedFd),
}

impl Tracefs {
    /// The system's mount, or else a private one.
    ///
    /// # Errors
    ///
    /// Those of mounting, which only root may do.
    pub(crate) fn open() -> io::Result<Self> {
        if Path::new(USUAL_PLACE).join("instances").is_dir() {
            return Ok(Self::Mounted);
        }
        files::private_mount("tracefs").map(Self::Private)
    }

    /// The path of one of the files.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        match self {
            Self::Mounted => Path::new(USUAL_PLACE).join(name),
            Self::Private(mount) => files::below(mount.as_raw_fd(), name),
        }
    }

    /// The number by which `perf_event_open` knows an event (`group/name`).
    #[cfg(test)]
    pub(crate) fn event_id(&self, event: &str) -> io::Result<u64> {
        let text = fs::read_to_string(self.path(&format!("events/{event}/id")))?;
        text.trim().parse().map_err(io::Error::other)
    }
}

/// A tracing buffer of our own, which disturbs nobody else's and is removed
/// when dropped.
#[derive(Debug)]
pub(super) struct Instance {
    directory: PathBuf,
    /// Keeps the way to `directory` open.
    _tracefs: Tracefs,
}

const NAME: &str = "modeswitch-verify-";

impl Instance {
    pub(super) fn create() -> io::Result<Self> {
        let tracefs = Tracefs::open()?;
        remove_leftovers(&tracefs.path("instances"));
        let directory = tracefs.path(&format!("instances/{NAME}{}", std::process::id()));
        fs::create_dir(&directory)?;
        Ok(Self {
            directory,
            _tracefs: tracefs,
        })
    }

    pub(super) fn has_event(&self, event: &str) -> bool {
        self.directory.join("events").join(event).is_dir()
    }

    /// Switches an event (`group/name`) on, for those that pass the filter.
    pub(super) fn enable(&self, event: &str, filter: Option<&str>) -> io::Result<()> {
        let directory = self.directory.join("events").join(event);
        if let Some(filter) = filter {
            fs::write(directory.join("filter"), filter)?;
        }
        fs::write(directory.join("enable"), "1")
    }

    /// Everything recorded so far.
    pub(super) fn text(&self) -> io::Result<String> {
        fs::read(self.directory.join("trace"))
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        // Removing it also switches its events off. If that fails, the next
        // run removes what is left.
        let _next_run_removes_it = fs::remove_dir(&self.directory);
    }
}

/// Removes the buffers of runs that were killed.
fn remove_leftovers(instances: &Path) {
    for entry in fs::read_dir(instances).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix(NAME));
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            // Somebody else may be quicker.
            let _already_gone = fs::remove_dir(entry.path());
        }
    }
}
