//! Errors that the user can do something about.

use nix::{
    errno::Errno,
    sys::resource::{Resource, getrlimit},
};

use crate::exit_code;

/// An expected error: whose fault it is decides the exit status.
///
/// Every message says what happened and what to do. Anything that is not one
/// of these is an internal error and exits with [`exit_code::INTERNAL`].
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An argument or an input file is wrong.
    #[error("{0}")]
    Usage(String),
    /// This machine, kernel or user cannot do it.
    #[error("{0}")]
    Environment(String),
    /// The command to be measured could not be started.
    #[error("{0}")]
    TargetNotStarted(String),
    /// A result could not be written.
    #[error("{0}")]
    Output(String),
}

impl Error {
    /// That of the limit on open files, if a failure comes from there: the kernel is
    /// not to blame.
    #[must_use]
    pub fn of_open_files(failure: &anyhow::Error) -> Option<Self> {
        let is_it = failure.chain().any(|cause| {
            let system = cause.downcast_ref::<std::io::Error>();
            system.and_then(std::io::Error::raw_os_error) == Some(libc::EMFILE)
                || cause.downcast_ref::<Errno>() == Some(&Errno::EMFILE)
        });
        let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(0, |(soft, _)| soft);
        is_it.then(|| {
            Self::Environment(format!(
                "modeswitch may have only {limit} files open at once, which is too few for its \
                 programs and maps: raise the hard limit (`ulimit -n 1024` as root, or \
                 LimitNOFILE= of the service)"
            ))
        })
    }

    /// The exit status that stands for this error.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => exit_code::USAGE,
            Self::Environment(_) => exit_code::ENVIRONMENT,
            Self::TargetNotStarted(_) => exit_code::TARGET_NOT_STARTED,
            Self::Output(_) => exit_code::OUTPUT,
        }
    }
}

/// The exit status for any error: that of the first expected one in its chain.
#[must_use]
pub fn exit_code_of(error: &anyhow::Error) -> u8 {
    error
        .chain()
        .find_map(|cause| cause.downcast_ref::<Error>())
        .map_or(exit_code::INTERNAL, Error::exit_code)
}
