//! A program's own numbers, from a file that it writes.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use tempfile::TempDir;
use workload::summary::IoSummary;

use super::fio;
use crate::{error::Error, launch::user::User, sys::files};

/// Most of a file that is read.
const MOST_BYTES: u64 = 64 << 20;

/// The form of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// What fio writes with `--output-format=json`.
    Fio,
    /// As the in-tree workload has it, as much of it as there is: `iops`,
    /// `ios`, `latency_ns` with `p50` … `p99999` and `max`, `setup_ns`.
    Own,
}

/// Where the numbers are.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file's form.
    pub form: Form,
    /// The file.
    pub path: PathBuf,
    /// The folder that it is in, if that is ours: gone with the last of us.
    pub(super) _folder: Option<Arc<TempDir>>,
}

/// Reads `fio:FILE` or `FILE`.
#[must_use]
pub fn source(text: &str) -> Source {
    let (form, path) = match text.strip_prefix("fio:") {
        Some(path) => (Form::Fio, path),
        None => (Form::Own, text),
    };
    Source {
        form,
        path: path.into(),
        _folder: None,
    }
}

impl Source {
    /// Removes what an earlier run has left, so that it is not taken for this
    /// run's. The program chose the path, so its user does it.
    ///
    /// # Errors
    /// [`Error::Output`] if that is not possible.
    pub fn clear(&self, user: Option<&User>) -> Result<(), Error> {
        // Kept and emptied: its rights may have been made for another user.
        let cleared = with(user, || {
            match files::open_regular(&self.path, File::options().write(true).truncate(true)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(Vec::new()),
            }
        });
        cleared.map(drop).map_err(|error| {
            Error::Output(format!(
                "cannot empty {} before a run: {error}: check `--metrics`",
                self.path.display()
            ))
        })
    }

    /// The numbers of the run that has just ended.
    ///
    /// # Errors
    /// [`Error::Usage`] if they are not there, or are something else.
    pub fn read(&self, user: Option<&User>) -> Result<IoSummary, Error> {
        let text = with(user, || {
            let file = files::open_regular(&self.path, File::options().read(true))?;
            let mut bytes = Vec::new();
            if file.take(MOST_BYTES + 1).read_to_end(&mut bytes)? as u64 > MOST_BYTES {
                return Err(io::Error::other("it is larger than 64 MiB"));
            }
            Ok(bytes)
        });
        let text = text.map_err(|error| {
            Error::Usage(format!(
                "cannot read the command's own numbers in {}: {error}: check `--metrics`",
                self.path.display()
            ))
        })?;
        understand(self.form, &String::from_utf8_lossy(&text), &self.path)
    }
}

/// Does something as the command's user: with our own rights only if it had them, too.
fn with(user: Option<&User>, work: impl FnOnce() -> io::Result<Vec<u8>>) -> io::Result<Vec<u8>> {
    match user {
        Some(user) => user.have_done(MOST_BYTES, work),
        None => work(),
    }
}

fn understand(form: Form, text: &str, path: &Path) -> Result<IoSummary, Error> {
    let found = match form {
        Form::Fio => fio::understand(text),
        Form::Own => serde_json::from_str(text).map_err(|error| error.to_string()),
    };
    found.map_err(|error| {
        Error::Usage(format!(
            "cannot understand the command's own numbers in {}: {error}: `fio:FILE` is for what \
             fio writes with --output-format=json, `FILE` for a JSON object with `iops`, `ios` \
             and `latency_ns`",
            path.display()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A few numbers are enough, and nonsense is refused.
    #[test]
    fn a_few_numbers_are_enough() {
        let path = Path::new("x");
        let text = r#"{"iops": 12.5, "latency_ns": {"p99": 1000}}"#;
        let found = understand(Form::Own, text, path).expect("understood");
        assert!((found.iops - 12.5).abs() < f64::EPSILON);
        assert_eq!(found.latency_ns.p99, Some(1000));
        assert_eq!(found.latency_ns.p50, None);
        assert!(understand(Form::Own, "IOPS: 12", path).is_err());
        assert!(understand(Form::Fio, "{}", path).is_err());
        assert_eq!(source("fio:a/b").form, Form::Fio);
        assert_eq!(source("a:b").path, Path::new("a:b"));
    }
}
