//! What is checked in can be read: no package, archive or program has its home here.

use std::process::Command;

use anyhow::{Result, ensure};
use modeswitch_object::process;

use crate::workspace;

const REFUSED: [&str; 14] = [
    "7z", "a", "bz2", "deb", "exe", "gz", "jar", "o", "rpm", "so", "tar", "whl", "xz", "zip",
];
/// Built from this tree, byte for byte, as another step checks.
const PREBUILT: &str = "profiler/prebuilt/";

pub(super) fn check() -> Result<()> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z"]).current_dir(workspace::root());
    let output = process::output(&mut git)?;
    let files = String::from_utf8_lossy(&output).into_owned();
    let refused: Vec<&str> = files.split('\0').filter(|file| is_refused(file)).collect();
    ensure!(
        refused.is_empty(),
        "binaries are checked in: {}",
        refused.join(", ")
    );
    Ok(())
}

fn is_refused(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    // Pictures belong to the documentation.
    let is_picture = extension == Some("png") && !file.starts_with("docs/");
    let is_binary = extension.is_some_and(|found| REFUSED.contains(&found));
    (is_binary || is_picture) && !file.starts_with(PREBUILT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_belongs_here_may_be_binary() {
        for file in [
            "toml-0.10.2-py2.py3-none-any.whl",
            "a/b.so",
            "x.tar.gz",
            "shot.png",
        ] {
            assert!(is_refused(file), "{file}");
        }
        for file in [
            "profiler/prebuilt/modeswitch.bpf.o",
            "docs/a.png",
            "so",
            "a/lib.rs",
        ] {
            assert!(!is_refused(file), "{file}");
        }
    }
}
