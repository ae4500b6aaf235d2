//! One responsibility for each file, and no file too long to read.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

use crate::workspace;

/// Tests may be longer: they are lists more than texts.
const MAX_LINES: usize = 400;

pub(super) fn check() -> Result<()> {
    let root = workspace::root();
    let mut long = Vec::new();
    let members = fs::read_dir(&root).with_context(|| format!("cannot list {}", root.display()))?;
    for member in members.filter_map(|entry| Some(entry.ok()?.path())) {
        if member.join("Cargo.toml").exists() {
            visit(&member, &mut long)?;
        }
    }
    let long: Vec<String> = long
        .iter()
        .map(|(path, lines)| {
            let path = path.strip_prefix(&root).unwrap_or(path);
            format!("{} has {lines}", path.display())
        })
        .collect();
    ensure!(
        long.is_empty(),
        "a file may have {MAX_LINES} lines, but {}",
        long.join(", ")
    );
    Ok(())
}

fn visit(folder: &Path, long: &mut Vec<(PathBuf, usize)>) -> Result<()> {
    let context = || format!("cannot list {}", folder.display());
    for entry in fs::read_dir(folder).with_context(context)? {
        let path = entry.with_context(context)?.path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() {
            if name != "tests" && name != "target" {
                visit(&path, long)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            let lines = text.lines().count();
            if lines > MAX_LINES {
                long.push((path, lines));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_are_found_outside_tests() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("src");
        let tests = folder.path().join("tests");
        fs::create_dir(&source).unwrap();
        fs::create_dir(&tests).unwrap();
        fs::write(source.join("long.rs"), "\n".repeat(MAX_LINES + 1)).unwrap();
        fs::write(source.join("short.rs"), "\n".repeat(MAX_LINES)).unwrap();
        fs::write(tests.join("long.rs"), "\n".repeat(MAX_LINES + 1)).unwrap();
        let mut long = Vec::new();
        visit(folder.path(), &mut long).unwrap();
        assert_eq!(long, [(source.join("long.rs"), MAX_LINES + 1)]);
    }
}
