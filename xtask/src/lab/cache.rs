//! Where kernels and what is known of them are kept between runs.

use std::{
    env,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use fs_err as fs;

/// Overrides the folder.
const VARIABLE: &str = "MODESWITCH_LAB_CACHE";
const NAME: &str = "modeswitch-lab";

/// One folder for all clones of this repository on one machine.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    root: PathBuf,
}

impl Cache {
    /// Opens the folder, and clears away what killed runs have left there.
    pub(super) fn open() -> Result<Self> {
        let root = folder(|name| env::var_os(name).map(PathBuf::from))
            .with_context(|| format!("set {VARIABLE}: neither a home nor a cache is known"))?;
        let cache = Self { root };
        fs::create_dir_all(cache.runs())?;
        cache.sweep()?;
        Ok(cache)
    }

    /// What apt knows of the mirrors.
    pub(super) fn apt(&self) -> PathBuf {
        self.root.join("apt")
    }

    /// An unpacked kernel.
    pub(super) fn kernel(&self, release: &str) -> PathBuf {
        self.root.join("kernels").join(release)
    }

    /// Whether KVM runs a kernel on this machine, as a trial found.
    pub(super) fn accelerator(&self, release: &str) -> PathBuf {
        self.root.join("accelerators").join(release)
    }

    /// A folder for one boot or download, gone when it is dropped.
    pub(super) fn run_folder(&self) -> Result<tempfile::TempDir> {
        let runs = self.runs();
        tempfile::Builder::new()
            .prefix(&format!("{}.", std::process::id()))
            .tempdir_in(&runs)
            .with_context(|| format!("cannot make a folder in {}", runs.display()))
    }

    fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    /// Folders bear the number of the process that made them.
    fn sweep(&self) -> Result<()> {
        let runs = self.runs();
        for entry in fs::read_dir(&runs)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let owner = name.split('.').next().unwrap_or_default();
            if !Path::new("/proc").join(owner).exists() {
                // Another process may be sweeping too.
                let _ = fs::remove_dir_all(&path);
            }
        }
        Ok(())
    }
}

fn folder(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|value| value.is_absolute());
    set(VARIABLE)
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join(NAME)))
        .or_else(|| Some(set("HOME")?.join(".cache").join(NAME)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Our own variable wins, then the desktop's, then the home folder.
    #[test]
    fn the_nearest_setting_wins() {
        let with = |names: &'static [(&str, &str)]| {
            folder(move |name| {
                let found = names.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| PathBuf::from(value))
            })
        };
        let home = ("HOME", "/h");
        let xdg = ("XDG_CACHE_HOME", "/x");
        let own = (VARIABLE, "/o");
        assert_eq!(with(&[]), None);
        let expect = |names, path: &str| assert_eq!(with(names), Some(path.into()));
        expect(Box::leak(Box::new([home])), "/h/.cache/modeswitch-lab");
        expect(Box::leak(Box::new([home, xdg])), "/x/modeswitch-lab");
        expect(Box::leak(Box::new([home, xdg, own])), "/o");
    }
}
