//! Running the command as somebody else.

use std::ffi::{CString, OsString};

use nix::unistd::{Gid, Uid};

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
}
