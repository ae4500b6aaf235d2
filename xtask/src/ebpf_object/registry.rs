//! Where cargo has unpacked the crates that the object is built from.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::PathBuf;

use super::lockfile::Package;

/// The folders below `registry/src`, one for each registry, that hold any of
/// `packages`; and whether all packages were found.
///
/// A folder's name tells where the crates were fetched from. It must not reach
/// the object, so each has to be known before the build.
pub(crate) fn folders(packages: &[Package]) -> (BTreeSet<PathBuf>, bool) {
    let candidates: Vec<PathBuf> = cargo_home()
        .map(|home| home.join("registry/src"))
        .and_then(|sources| fs::read_dir(sources).ok())
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    let mut folders = BTreeSet::new();
    let mut complete = true;
    for package in packages.iter().filter(|package| !package.is_member()) {
        let name = format!("{}-{}", package.name, package.version);
        let holding = candidates.iter().filter(|c| c.join(&name).is_dir());
        let holding: Vec<PathBuf> = holding.cloned().collect();
        complete &= !holding.is_empty();
        folders.extend(holding);
    }
    (folders, complete)
}

/// `$CARGO_HOME`, or where it is by default.
pub(crate) fn cargo_home() -> Option<PathBuf> {
    env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cargo")))
}
