//! `modeswitch workload`: the load generator inside this binary.

use anyhow::Result;
use workload::{Outcome, WorkloadError, cli::WorkloadArgs};

use crate::{error::Error, exit_code};

/// Runs the workload by itself.
///
/// # Errors
/// [`Error`] where the user can do something about it.
pub fn run(args: &WorkloadArgs) -> Result<u8> {
    let mut stdout = std::io::stdout();
    match workload::run(args, &mut stdout) {
        Ok(Outcome::Finished(_) | Outcome::Verified { all_shown: true }) => Ok(exit_code::SUCCESS),
        Ok(Outcome::Verified { all_shown: false }) => Ok(exit_code::ENVIRONMENT),
        Err(error) => Err(expected(&error).into()),
    }
}

/// Whose fault it is.
fn expected(error: &WorkloadError) -> Error {
    let message = error.to_string();
    if error.is_usage() {
        Error::Usage(message)
    } else {
        Error::Environment(message)
    }
}
