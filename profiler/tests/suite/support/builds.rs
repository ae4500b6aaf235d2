//! Programs with known lines, built in several ways.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Where the sources are.
fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/targets")
}

/// The line of a source that bears a mark.
#[track_caller]
pub(crate) fn line(source: &str, mark: &str) -> u64 {
    let text = std::fs::read_to_string(sources().join(source)).expect("a source");
    let mark = format!("@{mark}");
    let mut lines = text.lines().zip(1u64..);
    lines
        .find(|(line, _)| line.split_whitespace().any(|word| word == mark))
        .map(|(_, number)| number)
        .expect("the mark is there")
}

/// A folder of its own for one test's programs, emptied.
pub(crate) fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Builds a source into a folder.
#[track_caller]
pub(crate) fn build(compiler: &str, options: &[&str], source: &str, to: &Path) -> PathBuf {
    let status = Command::new(compiler)
        .args(["-g"])
        .args(options)
        .arg("-o")
        .arg(to)
        .arg(sources().join(source))
        .status()
        .expect("the compiler starts");
    assert!(status.success(), "{compiler} {options:?} {source}");
    to.to_owned()
}

/// Builds `code.c` with the usual options and some more.
#[track_caller]
pub(crate) fn code(options: &[&str], to: &Path) -> PathBuf {
    let mut all = vec!["-O1", "-Wall", "-Werror", "-pthread"];
    all.extend(options);
    build("cc", &all, "code.c", to)
}
