//! The command to be measured, checked before anything is loaded.

use std::{
    ffi::{CString, OsString},
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Path, PathBuf},
};

use super::{c_string::c_string, conditions::Conditions, user::User};
use crate::error::Error;

/// A command that is known to exist.
#[derive(Clone, Debug)]
pub struct Command {
    /// The file to execute.
    pub path: PathBuf,
    /// Its arguments, beginning with its name.
    pub arguments: Vec<OsString>,
    /// Variables set in addition to the environment.
    pub environment: Vec<(OsString, OsString)>,
    /// The CPUs that it may run on, or none for all.
    pub cpus: Option<Vec<u32>>,
    /// The user that it runs as, or none for ours.
    pub user: Option<User>,
    /// Where what it writes goes.
    pub output: Output,
    /// What else it starts under.
    pub conditions: Conditions,
}

/// Where a command's standard output and error go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Output {
    /// To our own.
    #[default]
    Inherited,
    /// Both to our own standard error: our standard output is for a document.
    ToStandardError,
    /// Output nowhere, errors into a file that is kept.
    Kept,
}

impl Command {
    /// Looks the command up as a shell would.
    ///
    /// # Errors
    /// [`Error::TargetNotStarted`] if there is no such command, or it may not
    /// be executed.
    pub fn find(arguments: Vec<OsString>) -> Result<Self, Error> {
        let name = arguments.first().cloned().unwrap_or_default();
        let shown = name.to_string_lossy().into_owned();
        if name.is_empty() {
            return Err(Error::Usage(
                "the command to measure is empty: name a program".to_owned(),
            ));
        }
        let path = if name.as_bytes().contains(&b'/') {
            PathBuf::from(&name)
        } else {
            let search = std::env::var_os("PATH").unwrap_or_default();
            std::env::split_paths(&search)
                .map(|folder| folder.join(&name))
                .find(|candidate| is_executable(candidate))
                .ok_or_else(|| {
                    Error::TargetNotStarted(format!(
                        "there is no command `{shown}` in PATH: check its spelling, or give its \
                         path"
                    ))
                })?
        };
        match std::fs::metadata(&path) {
            Err(error) => Err(Error::TargetNotStarted(format!(
                "cannot start `{shown}`: {error}: check the path"
            ))),
            Ok(metadata) if metadata.is_dir() => Err(Error::TargetNotStarted(format!(
                "cannot start `{shown}`: it is a folder: give the program in it"
            ))),
            Ok(_) if !is_executable(&path) => Err(Error::TargetNotStarted(format!(
                "cannot start `{shown}`: it is not executable: try `chmod +x {shown}`, or name \
                 its interpreter first"
            ))),
            Ok(_) => Ok(Self {
                path,
                arguments,
                environment: Vec::new(),
                cpus: None,
                user: None,
                output: Output::default(),
                conditions: Conditions::default(),
            }),
        }
    }

    /// The arguments as the kernel wants them.
    pub(super) fn argv(&self) -> Result<Vec<CString>, Error> {
        self.arguments
            .iter()
            .map(|word| c_string(word.as_bytes()))
            .collect()
    }

    /// The whole environment as the kernel wants it.
    pub(super) fn envp(&self) -> Result<Vec<CString>, Error> {
        let own = self.environment.iter();
        let inherited = std::env::vars_os()
            .filter(|(name, _)| !self.environment.iter().any(|(set, _)| set == name));
        own.cloned()
            .chain(inherited)
            .map(|(name, value)| c_string(&[name.as_bytes(), b"=", value.as_bytes()].concat()))
            .collect()
    }
}

/// Whether this is a file with any of its execute bits set.
fn is_executable(path: &Path) -> bool {
    std::fs::metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}
