//! Running the command as somebody else.

use std::{
    ffi::{CString, OsString},
    fs::File,
    io::{self, Read, Write},
};

use nix::{
    fcntl::OFlag,
    sys::wait::waitpid,
    unistd::{ForkResult, Gid, Uid, fork, pipe2},
};

use super::c_string::c_string;
use crate::error::Error;

/// The user that a command runs as.
#[derive(Clone, Debug)]
pub struct User {
    /// The login name.
    pub name: String,
    uid: Uid,
    gid: Gid,
    login: CString,
    home: OsString,
}

impl User {
    /// Looks a user up by name.
    ///
    /// # Errors
    /// [`Error::Usage`] if there is no such user.
    pub fn find(name: &str) -> Result<Self, Error> {
        let found = nix::unistd::User::from_name(name)
            .map_err(|error| Error::Usage(format!("cannot look up the user `{name}`: {error}")))?;
        let Some(found) = found else {
            return Err(Error::Usage(format!(
                "there is no user `{name}` on this machine: see `getent passwd`"
            )));
        };
        Ok(Self {
            login: c_string(name.as_bytes())?,
            name: found.name,
            uid: found.uid,
            gid: found.gid,
            home: found.dir.into_os_string(),
        })
    }

    /// The user who called sudo.
    ///
    /// # Errors
    /// [`Error::Usage`] if nobody did.
    pub fn invoking() -> Result<Self, Error> {
        let name = std::env::var("SUDO_USER").map_err(|error| {
            Error::Usage(format!(
                "`--user` without a name means the user who called sudo, and nobody did \
                 (SUDO_USER: {error}): give a name, as in `--user=alice`"
            ))
        })?;
        Self::find(&name)
    }

    /// The variables that go with the user.
    #[must_use]
    pub fn environment(&self) -> Vec<(OsString, OsString)> {
        let name = OsString::from(&self.name);
        vec![
            ("HOME".into(), self.home.clone()),
            ("USER".into(), name.clone()),
            ("LOGNAME".into(), name),
        ]
    }

    /// Becomes this user, for good. Called in the child.
    pub(super) fn become_it(&self) -> nix::Result<()> {
        nix::unistd::initgroups(&self.login, self.gid)?;
        nix::unistd::setgid(self.gid)?;
        nix::unistd::setuid(self.uid)
    }

    /// Does a piece of work with this user's rights and no others, in a process of
    /// its own. What it gives, at most `most` bytes of it.
    ///
    /// This process must have one thread only.
    ///
    /// # Errors
    /// What the work reports, and what keeps it from being done.
    pub fn have_done(
        &self,
        most: u64,
        work: impl FnOnce() -> io::Result<Vec<u8>>,
    ) -> io::Result<Vec<u8>> {
        let (from, to) = pipe2(OFlag::O_CLOEXEC)?;
        // SAFETY: this process has one thread, so the child finds every lock free.
        let child = match unsafe { fork() }? {
            ForkResult::Parent { child } => child,
            ForkResult::Child => {
                drop(from);
                let done = self.become_it().map_err(io::Error::from);
                let answer = match done.and_then(|()| work()) {
                    Ok(bytes) => [b"+", &bytes[..]].concat(),
                    Err(error) => format!("-{error}").into_bytes(),
                };
                let written = File::from(to).write_all(&answer);
                // SAFETY: ends the child without running the parent's exit handlers.
                unsafe { libc::_exit(i32::from(written.is_err())) }
            }
        };
        drop(to);
        let mut answer = Vec::new();
        let read = File::from(from).take(most + 1).read_to_end(&mut answer);
        // With more to say it ends by a broken pipe.
        let _how = waitpid(child, None);
        read?;
        match answer.split_first() {
            Some((b'+', bytes)) => Ok(bytes.to_vec()),
            Some((_, why)) => Err(io::Error::other(String::from_utf8_lossy(why).into_owned())),
            None => Err(io::Error::other("the process that was to do it has died")),
        }
    }
}
