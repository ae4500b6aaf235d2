//! Passing on a file while the guest writes it.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::PathBuf;

use anyhow::{Context as _, Result};

/// A file that may not be there yet, read up to where it has grown.
#[derive(Debug)]
pub(super) struct Follower {
    path: PathBuf,
    file: Option<File>,
}

impl Follower {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, file: None }
    }

    /// What has been added since.
    pub(super) fn read(&mut self) -> Result<Vec<u8>> {
        let context = || format!("cannot read {}", self.path.display());
        if self.file.is_none() {
            self.file = match File::open(&self.path) {
                Ok(file) => Some(file),
                Err(error) if error.kind() == ErrorKind::NotFound => None,
                Err(error) => return Err(error).with_context(context),
            };
        }
        let mut bytes = Vec::new();
        if let Some(file) = &mut self.file {
            file.read_to_end(&mut bytes).with_context(context)?;
        }
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn each_byte_is_passed_on_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stdout");
        let mut follower = Follower::new(path.clone());
        assert_eq!(follower.read().unwrap(), b"");
        let mut file = File::create(&path).unwrap();
        file.write_all(b"one").unwrap();
        assert_eq!(follower.read().unwrap(), b"one");
        assert_eq!(follower.read().unwrap(), b"");
        file.write_all(b"\xfftwo").unwrap();
        assert_eq!(follower.read().unwrap(), b"\xfftwo");
    }
}
