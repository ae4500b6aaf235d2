//! Distribution kernels: which there are, and fetching one.

mod catalog;
mod fetch;
mod series;
mod version;

use std::path::PathBuf;

pub(super) use catalog::Catalog;
pub(super) use fetch::fetch;
pub(super) use series::Wanted;

/// A kernel on this machine, ready to boot.
#[derive(Debug, Clone)]
pub(super) struct Kernel {
    /// As `uname -r` prints it.
    pub(super) release: String,
    pub(super) image: PathBuf,
    /// The folder with the modules of this release.
    pub(super) modules: PathBuf,
}
